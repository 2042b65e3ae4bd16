/*
 * The keys that `--set` knows, by what becomes of the value. buildx, "bake --set".
 */

export const textKeys = ["context", "dockerfile", "target", "call", "shm-size", "network"] as const;
export const flagKeys = ["no-cache", "pull", "push", "load"] as const;
/** They need a name: `args.NAME`. */
export const mapKeys = ["args", "contexts", "labels", "extra-hosts", "resources"] as const;
/** Lists of texts, by what a target calls them. */
export const textLists = {
  annotations: "annotations",
  entitlements: "entitlements",
  "no-cache-filter": "no-cache-filter",
  platform: "platforms",
  tags: "tags",
  ulimits: "ulimits",
} as const;
const entryLists = ["attest", "cache-from", "cache-to", "output", "secrets", "ssh"] as const;

export type TextList = keyof typeof textLists;
export type EntryList = (typeof entryLists)[number];

export const settableKeys: readonly string[] = [
  ...textKeys,
  ...flagKeys,
  ...mapKeys,
  "secret",
  ...Object.keys(textLists),
  ...entryLists,
];

export function isTextList(key: string): key is TextList {
  return Object.hasOwn(textLists, key);
}

export function isEntryList(key: string): key is EntryList {
  return includes(entryLists, key);
}

export function isList(key: string): boolean {
  return isTextList(key) || isEntryList(key);
}

export function hasMembers(key: string): boolean {
  return key === "secret" || includes(mapKeys, key);
}

export function includes<T extends string>(keys: readonly T[], key: string): key is T {
  return keys.some((one) => one === key);
}
