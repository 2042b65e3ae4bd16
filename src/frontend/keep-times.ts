import { z } from "zod";
import { encodeJson, type ImageConfig, sortKeys } from "../oci/oci.ts";

/** What has no time, BuildKit writes as null in some configs. */
const timesSchema = z.looseObject({
  created: z.string().nullish(),
  history: z.array(z.looseObject({ created: z.string().nullish() })).nullish(),
});

/** BuildKit's own inline cache in a config: it says nothing of the image. */
const inlineCache = "moby.buildkit.cache.v0";

/**
 * A config with the times of a previous one, where nobody has said others, if it is that one in all else; undefined where it
 * is not. BuildKit writes the members in an order of its own.
 */
export function withTimesOf(made: ImageConfig, previous: Uint8Array): ImageConfig | undefined {
  const text: unknown = JSON.parse(Buffer.from(previous).toString("utf8"));
  const parsed = timesSchema.safeParse(text);
  if (!parsed.success) return undefined;
  const { [inlineCache]: _, ...before } = parsed.data;
  const { created } = before;
  const history = before.history ?? [];
  const own = made.history ?? [];
  if (own.length !== history.length) return undefined;
  const filled = {
    ...withTime(made, created),
    history: own.map((entry, at) => withTime(entry, history[at]?.created)),
  };
  return isEqual(filled, { ...before, history }) ? filled : undefined;
}

function withTime<T extends { readonly created?: string }>(
  value: T,
  created: string | null | undefined,
): T {
  return value.created !== undefined || typeof created !== "string" ? value : { ...value, created };
}

function isEqual(one: object, other: object): boolean {
  return Buffer.from(encodeJson(sortKeys(one))).equals(encodeJson(sortKeys(other)));
}
