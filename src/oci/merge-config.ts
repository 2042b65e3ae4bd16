import { isEmptyJson, isJsonObject } from "./json.ts";
import type { ContainerConfig, Json } from "./model.ts";

/** A given key replaces or merges, null removes. */
export type ConfigPatch = { readonly [K in keyof ContainerConfig]?: ContainerConfig[K] | null };

type Members = ReadonlyMap<string, Json>;

/** The keys of a config whose values merge by their own keys. */
export const mapKeys: ReadonlySet<string> = new Set(["Labels", "ExposedPorts", "Volumes"]);

/**
 * The config with a patch applied (`output/config.json`, or what a build's instructions name): a given key
 * replaces; Env merges by variable (a variable keeps its place, new ones come last), Labels, ExposedPorts and
 * Volumes by key; null removes the key, or the entry of such a map. Empty values are dropped, as Go's tools do.
 */
export function mergeConfig(base: ContainerConfig, patch: ConfigPatch): ContainerConfig {
  const merged = new Map(listMembers(base));
  for (const [key, value] of listMembers(patch)) {
    merged.set(key, mergeKey(key, merged.get(key) ?? null, value));
  }
  return withoutEmpty(merged);
}

/** The members of a config that say something: what is missing, null, false or empty is left out. */
export function withoutEmpty(
  members: Iterable<readonly [string, Json | undefined]>,
): ContainerConfig {
  return Object.fromEntries([...members].filter(([, value]) => !isEmptyJson(value)));
}

/** The members of an object that are there. */
export function listMembers(value: object): Members {
  const members: [string, Json | undefined][] = Object.entries(value);
  return new Map(members.flatMap(([key, item]) => (item === undefined ? [] : [[key, item]])));
}

/** The entries of Env (`NAME=value`) by their variables' names, in order; the last of a name counts. */
export function listVariables(value: Json | undefined): ReadonlyMap<string, string> {
  const entries = Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
  return new Map(entries.map((entry) => [nameVariable(entry), entry]));
}

/** The name of an entry of Env. */
export function nameVariable(entry: string): string {
  return entry.split("=", 1)[0] ?? entry;
}

function mergeKey(key: string, base: Json, value: Json): Json {
  if (value === null) return null;
  if (key === "Env") return mergeEnvironment(base, value);
  if (!mapKeys.has(key) || !isJsonObject(value)) return value;
  const merged = Object.entries({ ...(isJsonObject(base) ? base : {}), ...value });
  return Object.fromEntries(merged.filter(([, item]) => item !== null));
}

function mergeEnvironment(base: Json, patch: Json): Json {
  const changes = listVariables(patch);
  // One that names a variable twice stays as it is, too.
  if (changes.size === 0) return base;
  return [...new Map([...listVariables(base), ...changes]).values()];
}
