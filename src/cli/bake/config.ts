import { isJsonObject, type Json } from "../../oci/oci.ts";
import { quoteText } from "../../text.ts";
import { decodeBody } from "./decode.ts";
import type { Block, Definition } from "./definition.ts";
import { type BakePlace, enter, type JsonObject, refuseAt } from "./document.ts";
import { mergeTargets } from "./merge.ts";
import { type BakeGroup, type BakeTarget, groupSchema, targetSchema } from "./schema.ts";
import { expandValue, type Scope } from "./template.ts";

/** A target or group, and where it stands: its last block. */
export interface Placed<T> {
  readonly value: T;
  readonly place: BakePlace;
}

/** What bake files say, their variables put in and their matrices written out. */
export interface Config {
  readonly groups: ReadonlyMap<string, Placed<BakeGroup>>;
  readonly targets: ReadonlyMap<string, Placed<BakeTarget>>;
}

/** More targets are refused: a matrix multiplies them. */
const maxTargets = 10_000;

/**
 * Blocks of one name are merged, of groups the last one counts. A target with a matrix is a group of its variants; a
 * group of that name comes before it. Errors: `bake-file-invalid`.
 */
export function createConfig({ groups, targets }: Definition, scope: Scope): Config {
  const all = new Map<string, Placed<BakeTarget>>();
  const variants = new Map<string, Placed<BakeGroup>>();
  for (const block of targets) {
    const names = addTarget(block, scope, all);
    const isItself = names.length === 1 && names[0] === block.name;
    if (isItself || names.length === 0) continue;
    variants.set(block.name, { value: { targets: [...names] }, place: block.place });
  }
  const named = groups.map((block) => [block.name, decodeGroup(block, scope)] as const);
  return { groups: new Map([...variants, ...named]), targets: all };
}

function decodeGroup({ name, body, place }: Block, scope: Scope): Placed<BakeGroup> {
  assertName(name, place);
  const expanded = expandValue(body, scope, place);
  return { value: decodeBody(groupSchema, expanded, place), place };
}

/** @returns the names of its variants; its own where it has no matrix */
function addTarget(
  { name: label, body, place }: Block,
  scope: Scope,
  all: Map<string, Placed<BakeTarget>>,
): readonly string[] {
  assertName(label, place);
  const { name: given, matrix, ...rest } = body;
  if (given !== undefined && matrix === undefined)
    throw refuseAt(enter(place, "name"), "a target has a name of its own with a matrix alone");
  const names = new Set<string>();
  for (const variant of listVariants(matrix, scope, enter(place, "matrix"))) {
    const name = given === undefined ? label : readName(given, variant, enter(place, "name"));
    if (names.has(name))
      throw refuseAt(place, `two variants have the name ${name}`, {
        hint: 'give them a "name" that has each variable of the matrix',
      });
    names.add(name);
    const value = decodeTarget(rest, variant, place);
    const earlier = all.get(name);
    all.set(name, {
      value: earlier === undefined ? value : mergeTargets(earlier.value, value),
      place,
    });
    if (all.size > maxTargets) throw refuseAt(place, `there are more than ${maxTargets} targets`);
  }
  return [...names];
}

function decodeTarget(body: JsonObject, scope: Scope, place: BakePlace): BakeTarget {
  const expanded = expandValue(body, scope, place);
  return decodeBody(targetSchema, expanded, place);
}

function readName(given: Json, scope: Scope, place: BakePlace): string {
  const name = expandValue(given, scope, place);
  if (typeof name !== "string") throw refuseAt(place, "a text is expected here");
  assertName(name, place);
  return name;
}

function assertName(name: string, place: BakePlace): void {
  if (/^[a-zA-Z0-9_-]+$/.test(name)) return;
  throw refuseAt(place, `${quoteText(name)} is not a name for a target or group`, {
    hint: "use letters, digits, _ and - in it",
  });
}

/** A scope for each combination of the matrix's values; the last variable changes first. */
function listVariants(matrix: Json | undefined, scope: Scope, place: BakePlace): readonly Scope[] {
  if (matrix === undefined || matrix === null) return [scope];
  const axes = expandValue(matrix, scope, place);
  if (!isJsonObject(axes)) throw refuseAt(place, "an object with lists is expected here");
  let variants: readonly ReadonlyMap<string, Json>[] = [new Map()];
  for (const [name, values] of Object.entries(axes)) {
    if (!Array.isArray(values)) throw refuseAt(enter(place, name), "a list is expected here");
    if (variants.length * values.length > maxTargets)
      throw refuseAt(place, `there are more than ${maxTargets} variants`);
    variants = variants.flatMap((one) =>
      values.map((value: Json) => new Map([...one, [name, value]])),
    );
  }
  return variants.map((own) => ({
    find: (name) => own.get(name) ?? scope.find(name),
    names: () => [...own.keys(), ...scope.names()],
  }));
}
