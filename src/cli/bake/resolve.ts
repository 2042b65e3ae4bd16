import { usageError } from "../line/arguments.ts";
import type { Config, Placed } from "./config.ts";
import { assertChain, refuseUnknown } from "./chains.ts";
import { type BakePlace, enter, refuseAt } from "./document.ts";
import { mergeTargets } from "./merge.ts";
import { applyOverrides } from "./apply-overrides.ts";
import { parseOverrides } from "./overrides.ts";
import { normaliseTarget } from "./normalise.ts";
import { listGroups, matchNames, selectTargets } from "./select.ts";
import type { BakeGroup, BakeTarget } from "./schema.ts";

export interface BakeRequest {
  /** Names and patterns of targets and groups; `default` where there is none. */
  readonly names: readonly string[];
  /** The words of --set. */
  readonly overrides: readonly string[];
  readonly lookUp: (name: string) => string | undefined;
}

/** A target that is to be built, with all that it inherits. */
export interface ResolvedTarget {
  readonly name: string;
  readonly target: BakeTarget;
  /** Whether nobody asked for it: it is there for the context of another one. */
  readonly isLinked: boolean;
}

export interface ResolvedBake {
  /** What each target is made from stands before it. */
  readonly targets: readonly ResolvedTarget[];
  /** The groups that were asked for, and `default`: what was asked for. */
  readonly groups: ReadonlyMap<string, BakeGroup>;
}

/** What a call of bake builds. Errors: `usage`, `bake-file-invalid`. */
export function resolveBake(config: Config, request: BakeRequest): ResolvedBake {
  const asked = matchNames(config, request.names.length === 0 ? ["default"] : request.names);
  const overrides = parseOverrides(request.overrides, config.targets.keys(), request.lookUp);
  const find = createFinder(config, (name, target) =>
    applyOverrides(target, overrides.get(name) ?? []),
  );
  const selected = selectTargets(config, asked);
  const ordered = new Map<string, ResolvedTarget>();
  for (const name of selected.targets)
    orderTarget(name, { find, isAsked: (one) => selected.targets.has(one), ordered, chain: [] });
  return { targets: [...ordered.values()], groups: listGroups(config, asked, selected.groups) };
}

type FindTarget = (name: string, from?: BakePlace) => Placed<BakeTarget>;

/** Targets with what they inherit, each worked out once. */
function createFinder(
  { targets }: Config,
  change: (name: string, target: BakeTarget) => BakeTarget,
): FindTarget {
  const known = new Map<string, Placed<BakeTarget>>();
  const chain: string[] = [];
  const find: FindTarget = (name, from) => {
    const earlier = known.get(name);
    if (earlier !== undefined) return earlier;
    const own = targets.get(name);
    if (own === undefined) throw refuseMissing(name, [...targets.keys()], from);
    assertChain(chain, name, { what: "targets that inherit", place: own.place });
    chain.push(name);
    const { inherits = [], ...rest } = own.value;
    const parents = inherits.map((parent) => find(parent, enter(own.place, "inherits")).value);
    chain.pop();
    const value = change(name, [...parents, rest].reduce(mergeTargets));
    const placed = { value, place: own.place };
    known.set(name, placed);
    return placed;
  };
  return find;
}

function refuseMissing(name: string, names: readonly string[], from: BakePlace | undefined): Error {
  if (from !== undefined) return refuseUnknown(name, names, from);
  return usageError(`there is no target ${name} in the bake file`);
}

interface Ordering {
  readonly find: FindTarget;
  readonly isAsked: (name: string) => boolean;
  readonly ordered: Map<string, ResolvedTarget>;
  readonly chain: readonly string[];
}

function orderTarget(name: string, ordering: Ordering, from?: BakePlace): void {
  const { find, isAsked, ordered, chain } = ordering;
  if (ordered.has(name)) return;
  const { value, place } = find(name, from);
  assertChain(chain, name, { what: "contexts of targets", place });
  const inner = { ...ordering, chain: [...chain, name] };
  for (const [key, context] of Object.entries(value.contexts ?? {})) {
    const linked = readLink(context);
    if (linked === undefined) continue;
    orderTarget(linked, inner, enter(place, "contexts", key));
    assertPlatforms({ name, value }, { name: linked, value: find(linked).value }, place);
  }
  const isLinked = !isAsked(name);
  const target = normaliseTarget(value);
  // What is linked is built, and goes nowhere.
  const output = isLinked ? { output: [{ type: "cacheonly" }] } : {};
  ordered.set(name, { name, target: { ...target, ...output }, isLinked });
}

/** The target that a context names: `target:NAME`. */
export function readLink(context: string): string | undefined {
  return context.startsWith("target:") ? context.slice("target:".length) : undefined;
}

interface Named {
  readonly name: string;
  readonly value: BakeTarget;
}

function assertPlatforms(user: Named, linked: Named, place: BakePlace): void {
  const wanted = user.value.platforms ?? [];
  const has = linked.value.platforms ?? [];
  const missing = wanted.find((one) => !has.includes(one));
  if (wanted.length < 2 || has.length < 2 || missing === undefined) return;
  throw refuseAt(
    place,
    `${user.name} is for ${missing}, which its context ${linked.name} is not for`,
  );
}
