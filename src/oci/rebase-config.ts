import { isEmptyJson, isJsonObject, sortKeys } from "./json.ts";
import { listMembers, listVariables, mapKeys, withoutEmpty } from "./merge-config.ts";
import type { ContainerConfig, Json } from "./model.ts";

/** The same field of an image, of its old base and of its new one; undefined where it is not there. */
interface Sides<T> {
  readonly own: T | undefined;
  readonly from: T | undefined;
  readonly onto: T | undefined;
}

type Members = ReadonlyMap<string, Json>;

/**
 * The config of an image on another base, merged from three sides: what the image has as its old base has it
 * becomes what the new base has, and the rest stays the image's own. Env by variable (in the new base's
 * order, the image's own behind), Labels, ExposedPorts and Volumes by key, all else as a whole.
 */
export function mergeBases(
  own: ContainerConfig,
  from: ContainerConfig,
  onto: ContainerConfig,
): ContainerConfig {
  const sides = { own: listMembers(own), from: listMembers(from), onto: listMembers(onto) };
  // Arguments belong to their command: whoever sets one has no use for the base's other.
  const isOwnCommand = !isSame(own.Entrypoint, from.Entrypoint);
  const keys = new Set([...sides.onto.keys(), ...sides.own.keys()]);
  const members = [...keys].map((key): [string, Json | undefined] => {
    if (key === "Cmd" && isOwnCommand) return [key, sides.own.get(key)];
    return [key, mergeKey(key, pick(sides, key))];
  });
  return withoutEmpty(members);
}

/** What the image has; the new base's where that is the old base's. */
export function mergeValue<T extends Json>({ own, from, onto }: Sides<T>): T | undefined {
  return isSame(own, from) ? onto : own;
}

function mergeKey(key: string, { own, from, onto }: Sides<Json>): Json | undefined {
  if (key === "Env") {
    const sides = { own: listVariables(own), from: listVariables(from), onto: listVariables(onto) };
    return mergeMembers(sides, listMoved(sides)).map(([, entry]) => entry);
  }
  if (mapKeys.has(key)) {
    const sides = { own: toMembers(own), from: toMembers(from), onto: toMembers(onto) };
    return Object.fromEntries(mergeMembers(sides));
  }
  // A base's triggers fire once, in the build; they are no image's that has not got them from it.
  if (key === "OnBuild" && isEmptyJson(own)) return undefined;
  return mergeValue({ own, from, onto });
}

/** In the new base's order, then the image's own; what the image has `moved` comes there too. */
function mergeMembers(
  sides: Record<keyof Sides<Json>, Members>,
  moved: ReadonlySet<string> = new Set(),
): [string, Json][] {
  const inPlace = [...sides.onto.keys()].filter((key) => !moved.has(key));
  return [...new Set([...inPlace, ...sides.own.keys()])].flatMap((key): [string, Json][] => {
    const { own, from, onto } = pick(sides, key);
    const value = isEqual(own, from) ? onto : own;
    return value === undefined ? [] : [[key, value]];
  });
}

/** Variables that the image sets anew and that are not where the base has them: buildah puts them last. */
function listMoved({ own, from }: Record<keyof Sides<Json>, Members>): ReadonlySet<string> {
  const ranks = new Map([...from.keys()].map((key, index) => [key, index]));
  let highest = -1;
  const keys = [...own.keys()].filter((key) => {
    const rank = ranks.get(key) ?? Number.POSITIVE_INFINITY;
    const isMoved = rank < highest || rank === Number.POSITIVE_INFINITY;
    highest = Math.max(highest, rank);
    return isMoved && !isEqual(own.get(key), from.get(key));
  });
  return new Set(keys);
}

function pick({ own, from, onto }: Record<keyof Sides<Json>, Members>, key: string): Sides<Json> {
  return { own: own.get(key), from: from.get(key), onto: onto.get(key) };
}

function toMembers(value: Json | undefined): Members {
  return new Map(isJsonObject(value) ? Object.entries(value) : []);
}

/** Empty is as good as missing, as it is for Go's tools. */
function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (isEmptyJson(a) || isEmptyJson(b)) return isEmptyJson(a) && isEmptyJson(b);
  return isEqual(a, b);
}

/** The order of keys says nothing. In a map, an empty value is one. */
function isEqual(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return JSON.stringify(sortKeys(a)) === JSON.stringify(sortKeys(b));
}
