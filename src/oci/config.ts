import { isEmptyJson, isJsonObject } from "./json.ts";
import type { ContainerConfig, Json } from "./model.ts";

/** A given key replaces or merges, null removes. */
export type ConfigPatch = { readonly [K in keyof ContainerConfig]?: ContainerConfig[K] | null };

type JsonObject = { readonly [key: string]: Json };

const mapKeys: ReadonlySet<string> = new Set(["Labels", "ExposedPorts", "Volumes"]);

/**
 * The config with the patch of `output/config.json` applied: a given key replaces; Env merges by
 * variable (a variable keeps its place, new ones come last), Labels, ExposedPorts and Volumes by key;
 * null removes the key, or the entry of such a map. Empty values are dropped, as Go's tools do.
 */
export function mergeConfig(base: ContainerConfig, patch: ConfigPatch): ContainerConfig {
  const merged = new Map(listMembers(base));
  for (const [key, value] of listMembers(patch)) {
    merged.set(key, mergeKey(key, merged.get(key) ?? null, value));
  }
  return Object.fromEntries([...merged].filter(([, value]) => !isEmptyJson(value)));
}

function listMembers(value: object): [string, Json][] {
  const members: [string, Json | undefined][] = Object.entries(value);
  return members.flatMap(([key, item]) => (item === undefined ? [] : [[key, item]]));
}

function mergeKey(key: string, base: Json, value: Json): Json {
  if (value === null) return null;
  if (key === "Env") return mergeEnvironment(listStrings(base), listStrings(value));
  if (mapKeys.has(key) && isJsonObject(value))
    return mergeMaps(isJsonObject(base) ? base : {}, value);
  return value;
}

function mergeEnvironment(base: readonly string[], patch: readonly string[]): readonly string[] {
  const variables = new Map(base.map((entry) => [nameOf(entry), entry]));
  for (const entry of patch) variables.set(nameOf(entry), entry);
  return [...variables.values()];
}

function nameOf(entry: string): string {
  return entry.split("=", 1)[0] ?? entry;
}

function mergeMaps(base: JsonObject, patch: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries({ ...base, ...patch }).filter(([, value]) => value !== null),
  );
}

function listStrings(value: Json): readonly string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];
}
