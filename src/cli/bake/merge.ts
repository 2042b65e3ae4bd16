import type { Entry, SshEntry } from "./entries.ts";
import type { BakeTarget } from "./schema.ts";
import { mapKeys } from "./set-keys.ts";

/**
 * A target over another one, as buildx merges blocks of one name and what is inherited: maps by key, some lists one
 * behind the other, and of the rest the later one. docs.docker.com/build/bake/reference, "File format".
 */
export function mergeTargets(under: BakeTarget, over: BakeTarget): BakeTarget {
  return { ...under, ...over, ...mergeMaps(under, over), ...mergeLists(under, over) };
}

const textKeys = [
  "inherits",
  "annotations",
  "no-cache-filter",
  "ulimits",
  "entitlements",
] as const satisfies readonly (keyof BakeTarget)[];

function mergeMaps(under: BakeTarget, over: BakeTarget): Partial<BakeTarget> {
  const keys = mapKeys.filter((key) => under[key] !== undefined || over[key] !== undefined);
  return Object.fromEntries(keys.map((key) => [key, { ...under[key], ...over[key] }]));
}

function mergeLists(under: BakeTarget, over: BakeTarget): Partial<BakeTarget> {
  const texts = textKeys
    .filter((key) => under[key] !== undefined || over[key] !== undefined)
    .map((key) => [key, [...new Set([...(under[key] ?? []), ...(over[key] ?? [])])]] as const);
  const policy = [...(under.policy ?? []), ...(over.policy ?? [])];
  const has = (key: keyof BakeTarget): boolean =>
    under[key] !== undefined || over[key] !== undefined;
  return {
    ...Object.fromEntries(texts),
    ...(has("cache-from") && {
      "cache-from": joinEntries(under["cache-from"], over["cache-from"], renderEntry),
    }),
    ...(has("secret") && { secret: joinEntries(under.secret, over.secret, idOf) }),
    ...(has("ssh") && { ssh: joinEntries(under.ssh, over.ssh, idOf) }),
    ...(has("attest") && { attest: joinEntries(under.attest, over.attest, typeOf) }),
    ...(policy.length > 0 && { policy }),
  };
}

/** Those of both, of equal ones the last in the place of the first. */
export function joinEntries<T extends Entry | SshEntry>(
  under: readonly T[] = [],
  over: readonly T[] = [],
  keyOf: (entry: T) => string,
): T[] {
  return [...new Map([...under, ...over].map((entry) => [keyOf(entry), entry])).values()];
}

export function renderEntry(entry: Entry): string {
  return JSON.stringify(Object.entries(entry).sort(([a], [b]) => (a < b ? -1 : 1)));
}

export function idOf({ id }: Entry | SshEntry): string {
  return typeof id === "string" ? id : "";
}

export function typeOf({ type }: Entry): string {
  return type ?? "";
}
