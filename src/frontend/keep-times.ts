import { z } from "zod";
import { encodeJson, type ImageConfig, sortKeys } from "../oci/oci.ts";

const timesSchema = z.looseObject({
  created: z.string().optional(),
  history: z.array(z.looseObject({ created: z.string().optional() })).optional(),
});

/** BuildKit's own inline cache in a config: it says nothing of the image. */
const inlineCache = "moby.buildkit.cache.v0";

/**
 * A config with the times of a previous one, where nobody has said others, if it is that one in all else; undefined where it
 * is not. BuildKit writes the members in an order of its own.
 */
export function withTimesOf(made: ImageConfig, previous: Uint8Array): ImageConfig | undefined {
  const text: unknown = JSON.parse(Buffer.from(previous).toString("utf8"));
  const { [inlineCache]: _, ...before } = timesSchema.parse(text);
  const { created, history = [] } = before;
  const own = made.history ?? [];
  if (own.length !== history.length) return undefined;
  const filled = {
    ...made,
    ...give("created", made.created ?? created),
    history: own.map((entry, at) => ({
      ...entry,
      ...give("created", entry.created ?? history[at]?.created),
    })),
  };
  return isEqual(filled, { ...before, history }) ? filled : undefined;
}

function give(name: "created", value: string | undefined): { readonly created?: string } {
  return value === undefined ? {} : { [name]: value };
}

function isEqual(one: object, other: object): boolean {
  return Buffer.from(encodeJson(sortKeys(one))).equals(encodeJson(sortKeys(other)));
}
