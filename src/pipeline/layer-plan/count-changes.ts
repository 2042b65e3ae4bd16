import type { Release } from "../../layers/layers.ts";
import { findKinds, listPackages, nameKey, withoutKind } from "./package-keys.ts";

/** Milliseconds: a twelfth of a year of 365.25 days. */
const month = 2_629_800_000;

/** How often a layer with these packages would have changed: changes a month; undefined where nobody can tell. */
export type CountChanges = (packages: readonly string[]) => number | undefined;

/**
 * Counts in a release history, the oldest first: a layer changes between two releases where a package of it has another
 * name (a version, mostly), comes, or goes. What has no version is known by what its layer holds. Releases
 * without a date tell nothing of how often.
 * @param kinds of the image whose packages are asked for
 */
export function countChanges(releases: readonly Release[], kinds: readonly string[]): CountChanges {
  const dated = releases.flatMap(({ created, layers }) =>
    created === undefined ? [] : [{ created, contents: listContents(layers) }],
  );
  return (packages) => {
    const keys = packages.map((one) => withoutKind(nameKey(one, kinds)));
    // Whose layers are called otherwise has nothing to say.
    const known = dated.filter(({ contents }) => keys.some((key) => contents.has(key)));
    const [first, last] = [known[0], known.at(-1)];
    if (first === undefined || last === undefined || last.created <= first.created)
      return undefined;
    const states = known.map(({ contents }) => keys.map((key) => contents.get(key) ?? ""));
    const changes = states.filter(
      (one, at) => at > 0 && one.some((text, index) => text !== states[at - 1]?.[index]),
    );
    // What was built within days of each other tells little of a month.
    return (changes.length * month) / Math.max(last.created - first.created, month);
  };
}

/** What stands for each package of a release, by its key: its name, or, where that says no version, its layer's diff ID. */
function listContents(layers: Release["layers"]): ReadonlyMap<string, string> {
  const contents = new Map<string, string>();
  const kinds = findKinds(layers.map(({ name }) => name));
  for (const { diffId, name } of layers) {
    for (const one of listPackages(name)) {
      const key = withoutKind(nameKey(one, kinds));
      const content = key === one ? diffId : one;
      contents.set(key, [contents.get(key) ?? "", content].join(" ").trim());
    }
  }
  return contents;
}
