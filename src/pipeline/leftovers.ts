import type { Workspace } from "../delivery/delivery.ts";
import type {
  Engine,
  Leftover,
  LeftoverChoice,
  Leftovers,
  RemovedLeftovers,
} from "../engine/engine.ts";
import { dropUses, findOldestRun, listUses } from "../store/store.ts";

/** How much of what builds left in an engine's storage goes. */
export interface LeftoverLimits {
  /** Milliseconds since 1970: what was last used before then. */
  readonly usedBefore: number;
  /** Also what builds of other stores, or of older versions, have named: when these were used nobody knows. */
  readonly all: boolean;
  /** Finds out and changes nothing. */
  readonly dryRun: boolean;
}

/** Where it is pruned. */
export interface PruningWorkspace extends Pick<Workspace, "store" | "reporter" | "signal"> {
  readonly engine: Engine;
}

/** What builds left in an engine's storage, with what this store knows of it. */
export interface StoredLeftovers {
  /** The storage's directory. */
  readonly storage: string;
  /** Images that the next builds find by a name of ours, and steps that the engine's cache alone has. */
  readonly named: number;
  readonly steps: number;
  /** How many of them running builds and containers use. */
  readonly used: number;
  /** How many of them this store's builds know nothing of. */
  readonly foreign: number;
  /** Bytes of layers that only they have, and those of them that `prune --all` frees. */
  readonly size: number;
  readonly reclaimable: number;
}

/** undefined where builds leave nothing in this engine. Errors: `engine-failed`, `engine-cannot-run`. */
export async function measureLeftovers({
  engine,
  store,
}: Pick<PruningWorkspace, "engine" | "store">): Promise<StoredLeftovers | undefined> {
  const left = await engine.readLeftovers();
  if (left === undefined) return undefined;
  const { storage, images, size } = left;
  const uses = await listUses(store);
  const count = (matches: (one: Leftover) => boolean): number => images.filter(matches).length;
  const named = count(({ names }) => names.length > 0);
  return {
    storage,
    named,
    steps: images.length - named,
    used: count(({ isUsed }) => isUsed),
    foreign: count(({ names }) => names.length > 0 && !names.some((name) => uses.has(name))),
    size,
    reclaimable: left.plan(await createChoice({ usedBefore: Infinity, all: true }, { store }))
      .freed,
  };
}

/**
 * Removes what builds left in an engine's storage and was not used for long; what a running build or a container uses,
 * whoever's it is, and names and images of others stay. Errors: `engine-failed`, `engine-cannot-run`, `store-lock`.
 */
export async function pruneLeftovers(
  left: Leftovers,
  limits: LeftoverLimits,
  work: PruningWorkspace,
): Promise<RemovedLeftovers> {
  const { engine, store } = work;
  const choose = await createChoice(limits, work);
  const planned = left.plan(choose);
  if (limits.dryRun) return planned;
  const isNothing = planned.names.length === 0 && planned.images.length === 0;
  const removed = isNothing ? planned : await engine.removeLeftovers(choose, work);
  const present = new Set(left.images.flatMap(({ names }) => names));
  const lost = await listLost(present, limits, work);
  await dropUses(store, [...removed.names, ...lost]);
  return removed;
}

/** Names that were not used for as long and that this storage has not: the engine may have removed them. */
async function listLost(
  present: ReadonlySet<string>,
  { usedBefore }: LeftoverLimits,
  { store }: PruningWorkspace,
): Promise<readonly string[]> {
  const limit = await limitToIdle(usedBefore, store);
  const uses = [...(await listUses(store))];
  return uses.flatMap(([name, usedAt]) => (usedAt < limit && !present.has(name) ? [name] : []));
}

/** Milliseconds. A build finds what it needs some time before its run begins. */
const findingTime = 60 * 60 * 1000;

async function createChoice(
  { usedBefore, all }: Pick<LeftoverLimits, "usedBefore" | "all">,
  { store }: Pick<PruningWorkspace, "store">,
): Promise<LeftoverChoice> {
  const uses = await listUses(store);
  const limit = await limitToIdle(usedBefore, store);
  return ({ storedAt }, name) => {
    if (name === undefined) return storedAt < usedBefore;
    const usedAt = uses.get(name);
    return usedAt === undefined ? all && storedAt < usedBefore : usedAt < limit;
  };
}

/** What was used shortly before a build of this store began, it may be about to use. */
async function limitToIdle(usedBefore: number, store: PruningWorkspace["store"]): Promise<number> {
  const oldestRun = (await findOldestRun(store)) ?? Number.POSITIVE_INFINITY;
  return Math.min(usedBefore, oldestRun - findingTime);
}
