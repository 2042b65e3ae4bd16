import { nameStem, splitPackages } from "./layer-names.ts";
import type { ComparedLayer, NewLayer, PackageChanges, RemovedLayer } from "./model.ts";

/** The packages in a layer's name, where they share it. */
export function describePackages({
  name,
}: {
  readonly name: string;
}): Pick<ComparedLayer, "packages"> {
  const packages = splitPackages(name);
  return packages === undefined ? {} : { packages };
}

/** What became of the packages of a layer; undefined where neither was shared. */
export function comparePackages(before: string, after: string): PackageChanges | undefined {
  const [old, now] = [splitPackages(before), splitPackages(after)];
  if (old === undefined && now === undefined) return undefined;
  const gone = subtract(old ?? [before], now ?? [after]);
  const came = subtract(now ?? [after], old ?? [before]);
  const byStem = new Map(gone.map((one) => [nameStem(one), one]));
  const changed = came.flatMap((to) => {
    const from = byStem.get(nameStem(to));
    byStem.delete(nameStem(to));
    return from === undefined ? [] : [{ from, to }];
  });
  return {
    changed,
    new: subtract(
      came,
      changed.map(({ to }) => to),
    ),
    removed: subtract(
      gone,
      changed.map(({ from }) => from),
    ),
  };
}

function subtract(all: readonly string[], others: readonly string[]): readonly string[] {
  const known = new Set(others);
  return all.filter((one) => !known.has(one));
}

/** Tells of a layer that is gone where its package is now, if it shares a layer of these. */
export function locatePackages(
  removed: readonly ComparedLayer[],
  layers: readonly NewLayer[],
): readonly RemovedLayer[] {
  const places = new Map(
    layers.flatMap(({ name, packages = [] }) =>
      packages.map((one) => [nameStem(one), name] as const),
    ),
  );
  return removed.map((layer) => {
    const nowIn = layer.packages === undefined ? places.get(nameStem(layer.name)) : undefined;
    return nowIn === undefined ? layer : { ...layer, nowIn };
  });
}
