import type { Digest } from "../../oci/oci.ts";
import type { LeftoverChoice, RemovedLeftovers } from "../model.ts";
import type { FoundLeftover } from "./find-leftovers.ts";
import type { StorageFiles, StorageLayer } from "./storage-files.ts";

export interface LeftoverPlan {
  /** Names that go from images that stay, for somebody else's sake or because nobody knows whose they are. */
  readonly released: readonly string[];
  /** Names whose image has another one; images that had no other go with them. */
  readonly names: readonly string[];
  /** Images without a name, each before those that it was made on. */
  readonly steps: readonly Digest[];
  readonly result: RemovedLeftovers;
}

/** What goes of a storage's leftovers, and how many bytes no image that stays needs then. */
export function planLeftovers(
  found: readonly FoundLeftover[],
  files: StorageFiles,
  choose: LeftoverChoice,
): LeftoverPlan {
  const free = found.filter(({ isUsed }) => !isUsed);
  const named = free.flatMap((one) => {
    const names = one.names.filter((name) => choose(one, name));
    return names.length === 0 ? [] : [{ one, names, isLast: names.length === one.names.length }];
  });
  const ending = named.filter(({ one, isLast }) => isLast && !one.isShared);
  const gone = ending.flatMap(({ one }) => (one.isMade ? [one] : []));
  const chosen = free.filter((one) => one.names.length === 0 && choose(one, undefined));
  const steps = listEndingSteps(chosen, { gone, found }, files);
  const going = new Set([...gone, ...steps].map(({ id }) => id));
  const kept = ending.filter(({ one }) => !one.isMade);
  return {
    released: kept.flatMap(({ names }) => names),
    names: named.flatMap((item) => (kept.includes(item) ? [] : item.names)),
    steps: steps.map(({ id }) => id),
    result: {
      names: named.flatMap(({ names }) => names).sort(),
      images: [...going].sort(),
      freed: measureGoing(going, files),
    },
  };
}

interface Others {
  readonly gone: readonly FoundLeftover[];
  readonly found: readonly FoundLeftover[];
}

/** Steps of the engine's cache that lead to none of ours that stays. */
function listEndingSteps(
  chosen: readonly FoundLeftover[],
  { gone, found }: Others,
  { layers }: StorageFiles,
): readonly FoundLeftover[] {
  const chainOf = (one: FoundLeftover): readonly string[] => listChain(one.stored.layer, layers);
  let ending = chosen;
  for (;;) {
    const going = new Set([...gone, ...ending]);
    const needed = new Set(found.flatMap((one) => (going.has(one) ? [] : chainOf(one))));
    const rest = ending.filter(({ stored }) => !needed.has(stored.layer ?? ""));
    if (rest.length === ending.length) break;
    ending = rest;
  }
  return ending.toSorted((a, b) => chainOf(b).length - chainOf(a).length);
}

/** Bytes of the layers that only these images have, each once. */
export function measureGoing(
  going: ReadonlySet<Digest>,
  { images, layers, containers }: StorageFiles,
): number {
  const staying = [...images.filter(({ id }) => !going.has(id)), ...containers];
  const needed = new Set(staying.flatMap(({ layer }) => listChain(layer, layers)));
  const chains = images.flatMap(({ id, layer }) => (going.has(id) ? listChain(layer, layers) : []));
  return [...new Set(chains)].reduce(
    (sum, id) => sum + (needed.has(id) ? 0 : (layers.get(id)?.size ?? 0)),
    0,
  );
}

/** A layer and those below it. */
function listChain(
  top: string | undefined,
  layers: ReadonlyMap<string, StorageLayer>,
): readonly string[] {
  const chain = new Set<string>();
  for (let id = top; id !== undefined && !chain.has(id); id = layers.get(id)?.parent) chain.add(id);
  return [...chain];
}
