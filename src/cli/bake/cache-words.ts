import { describeCache } from "../request/cache-sources.ts";
import { joinPairs } from "./csv.ts";
import type { Entry } from "./entries.ts";
import { unsupported } from "./unsupported.ts";

/**
 * Caches as `--cache-from` and `--cache-to` take them: images in registries, and to read from layouts, too. The inline
 * cache needs no flag, for a pushed image is the cache of the next build. Errors: `bake-unsupported` for other kinds.
 */
export function listCaches(
  entries: readonly Entry[],
  key: "cache-from" | "cache-to",
  target: string,
): readonly string[] {
  return entries.flatMap((entry) => {
    const cache = describeCache(entry);
    if (cache.kind === "inline") return [];
    if (cache.kind === "registry") return [cache.reference];
    if (cache.kind === "local" && key === "cache-from") return [joinPairs(Object.entries(entry))];
    const what = cache.kind === "local" || entry["type"] === "local" ? "of type local" : cache.what;
    const hint = `use type=registry,ref=IMAGE, or take it away with --set ${target}.${key}=`;
    throw unsupported(target, `${key} ${what}`, hint);
  });
}
