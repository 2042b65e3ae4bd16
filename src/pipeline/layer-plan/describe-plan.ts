import type { Release } from "../../layers/layers.ts";
import { type Digest, type Image, listHistory } from "../../oci/oci.ts";
import { countChanges } from "./count-changes.ts";
import { findKinds, isPackage, listPackages, nameKey, withoutKind } from "./package-keys.ts";
import type { PlanFile, PlannedLayer } from "./plan-file.ts";

/** A layer of an image, and what is expected of it. */
export interface PlanRow {
  readonly digest: Digest;
  /** As its `created_by` has them; a layer that no helper named has that text as one. */
  readonly packages: readonly string[];
  /** Bytes, compressed. */
  readonly size: number;
  /** undefined where nothing is known. */
  readonly changesPerMonth: number | undefined;
  /** What it is expected to cost: bytes, compressed. */
  readonly bytesPerMonth: number | undefined;
}

export interface LayerPlan {
  /** From the lowest. */
  readonly rows: readonly PlanRow[];
  /** Where the numbers come from. */
  readonly source: "recorded" | "history" | "none";
  /** As a plan file: the recorded one, else that of the image as it is. */
  readonly file: PlanFile;
}

/** What is known beside the image itself. */
export interface PlanKnowledge {
  /** What the build left of its plan. */
  readonly recorded: PlanFile | undefined;
  /** The oldest first. */
  readonly releases: readonly Release[];
}

/** How the layers of an image share its packages, and what each is expected to cost. What the build recorded comes first. */
export function describePlan(image: Image, { recorded, releases }: PlanKnowledge): LayerPlan {
  const layers = listHistory(image).flatMap(({ entry, layer }) =>
    layer === undefined ? [] : [{ ...layer.descriptor, name: entry.created_by ?? "" }],
  );
  const kinds = findKinds(layers.map(({ name }) => name));
  const find = recorded === undefined ? undefined : matchLayers(recorded, kinds);
  const count = countChanges(releases, kinds);
  const rows = layers.map(({ digest, size, name }): PlanRow => {
    const packages = listPackages(name);
    const changes = find === undefined ? count(packages) : find(packages)?.changesPerMonth;
    const cost = changes === undefined ? undefined : Math.round(size * changes);
    return { digest, packages, size, changesPerMonth: changes, bytesPerMonth: cost };
  });
  const isKnown = rows.some(({ changesPerMonth }) => changesPerMonth !== undefined);
  const source = recorded === undefined ? (isKnown ? "history" : "none") : "recorded";
  return { rows, source, file: recorded ?? createFile(rows, kinds, releases) };
}

type FindLayer = (packages: readonly string[]) => PlannedLayer | undefined;

/** The layer of a plan that has most of some packages. */
function matchLayers({ layers }: PlanFile, kinds: readonly string[]): FindLayer {
  const byKey = new Map<string, PlannedLayer>();
  for (const layer of layers) {
    for (const key of layer.keys) {
      byKey.set(key, layer);
      // Where the kind is not told.
      if (!byKey.has(withoutKind(key))) byKey.set(withoutKind(key), layer);
    }
  }
  return (packages) => {
    const counts = new Map<PlannedLayer, number>();
    for (const one of packages) {
      const key = nameKey(one, kinds);
      const layer = byKey.get(key) ?? byKey.get(withoutKind(key));
      if (layer !== undefined) counts.set(layer, (counts.get(layer) ?? 0) + 1);
    }
    return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0];
  };
}

/** What is no package is in no plan. */
function createFile(
  rows: readonly PlanRow[],
  kinds: readonly string[],
  releases: readonly Release[],
): PlanFile {
  const layers = rows.flatMap(({ packages, size, changesPerMonth }): readonly PlannedLayer[] => {
    const keys = packages.filter(isPackage).map((one) => nameKey(one, kinds));
    return keys.length === 0 ? [] : [{ keys, bytes: size, changesPerMonth }];
  });
  const history = releases.map(({ digest, reference }) => `${digest} ${reference}`);
  return { history, layers };
}
