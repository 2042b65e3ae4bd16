import type { Entry } from "./entries.ts";
import { unsupported } from "./unsupported.ts";

/**
 * Caches as `--cache-from` and `--cache-to` take them: images in registries. The inline cache needs no flag, for a
 * pushed image is the cache of the next build. Errors: `bake-unsupported` for other kinds.
 */
export function listCaches(
  entries: readonly Entry[],
  key: "cache-from" | "cache-to",
  target: string,
): readonly string[] {
  return entries.flatMap(({ type, ref, ...rest }) => {
    if (type === "inline") return [];
    const isPlain = Object.keys(rest).every((name) => ignored.has(name));
    if (type === "registry" && ref !== undefined && isPlain) return [ref];
    const shown =
      type === "registry"
        ? `${key} with ${Object.keys(rest).join(", ")}`
        : `${key} of type ${type}`;
    const hint = `use type=registry,ref=IMAGE, or take it away with --set ${target}.${key}=`;
    throw unsupported(target, shown, hint);
  });
}

/** What BuildKit puts into its cache, and how it writes it: here it is an image. */
const ignored: ReadonlySet<string> = new Set(["mode", "image-manifest", "oci-mediatypes"]);
