import { resolve } from "node:path";
import { type ImageReference, splitReference } from "../../copy/copy.ts";
import { type Entry, EntryProblem, parseCaches } from "../bake/entries.ts";
import type { CliIo } from "../io.ts";
import { usageError } from "../line/arguments.ts";
import { parseReferences } from "./registries.ts";

/** A cache as buildx names it: an image in a registry, one in a layout, that of the image that is pushed; or none of ours. */
export type Cache =
  | { readonly kind: "registry"; readonly reference: string }
  | { readonly kind: "local"; readonly directory: string; readonly tag: string | undefined }
  | { readonly kind: "inline" }
  /** Completes "a cache". */
  | { readonly kind: "other"; readonly what: string };

/** What BuildKit puts into its cache, and how it writes it: here it is an image. */
const ignored: ReadonlySet<string> = new Set(["mode", "image-manifest", "oci-mediatypes"]);

export function describeCache({ type = "", ...attributes }: Entry): Cache {
  if (type === "inline") return { kind: "inline" };
  const known = attributesOf[type];
  if (known === undefined) return { kind: "other", what: `of type ${type}` };
  const unknown = Object.keys(attributes).filter((one) => !known.has(one) && !ignored.has(one));
  if (unknown.length > 0) return { kind: "other", what: `with ${unknown.join(", ")}` };
  const { ref, src, tag } = attributes;
  if (type === "local")
    return src ? { kind: "local", directory: src, tag } : { kind: "other", what: "without src" };
  return ref ? { kind: "registry", reference: ref } : { kind: "other", what: "without ref" };
}

const attributesOf: Readonly<Record<string, ReadonlySet<string>>> = {
  registry: new Set(["ref"]),
  local: new Set(["src", "tag"]),
};

/**
 * The images that values of --cache-from name: references, several with commas between them, and caches as buildx has
 * them. The inline cache is that of the image that is pushed, and needs none. Errors: `usage`, `name-invalid`.
 */
export function listCacheSources(
  values: readonly string[],
  io: CliIo,
): Promise<readonly ImageReference[]> {
  return parseReferences(
    values.flatMap((value) => readValue(value, io)),
    io,
  );
}

/** As no reference begins. */
const pairs = /^"?[a-z-]+=/i;

function readValue(value: string, { cwd }: CliIo): readonly string[] {
  const isPlace = splitReference(value) === undefined;
  if (!pairs.test(value) && (isPlace || !value.includes(","))) return [value];
  return parseValue(value).flatMap((entry): readonly string[] => {
    const cache = describeCache(entry);
    if (cache.kind === "inline") return [];
    if (cache.kind === "registry") return [cache.reference];
    if (cache.kind === "other") throw refuse(value, `a cache ${cache.what} cannot be read`);
    const name = cache.tag === undefined ? "" : `:${cache.tag}`;
    return [`oci:${resolve(cwd, cache.directory)}${name}`];
  });
}

function parseValue(value: string): readonly Entry[] {
  try {
    return parseCaches(value);
  } catch (error) {
    if (error instanceof EntryProblem) throw refuse(value, error.message);
    throw error;
  }
}

function refuse(value: string, why: string): Error {
  return usageError(
    `--cache-from ${value}: ${why}`,
    "name an image (REGISTRY/NAME:TAG, localhost/NAME:TAG, oci:DIR), or use type=registry,ref=IMAGE or type=local,src=DIR[,tag=TAG]",
  );
}
