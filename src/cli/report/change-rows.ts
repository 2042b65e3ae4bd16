import type {
  ChangedLayer,
  Comparison,
  LayerSum,
  NewLayer,
  PackageChanges,
  RemovedLayer,
  ResultLayer,
} from "../../pipeline/pipeline.ts";
import { listSome } from "../../text.ts";
import { renderSize, sumSizes } from "../../units.ts";

/** What is told of a layer. */
export interface ChangeRow {
  readonly status: "changed" | "new" | "removed" | "kept" | "equal" | "base";
  /** Bytes, compressed. */
  readonly size: number;
  readonly name: string;
  /** Size and, where it is another one, name of the layer that it stands for. */
  readonly replaces?: string;
  readonly notes: readonly string[];
}

/** Rows of one kind, and those that are too many to be shown. */
export interface ChangeRows {
  readonly rows: readonly ChangeRow[];
  readonly more: LayerSum;
}

/** Of each kind the largest layers, as many as that, in the image's order. */
export function listChanges(comparison: Comparison, most: number): readonly ChangeRows[] {
  const kinds = [
    comparison.changed.map(describeChanged),
    comparison.new.map(describeNew),
    comparison.removed.map(describeRemoved),
  ];
  return kinds.filter((rows) => rows.length > 0).map((rows) => takeLargest(rows, most));
}

/** All layers of the image in its order, then what was removed; where nothing is compared, as their status says. */
export function listAll(
  layers: readonly ResultLayer[],
  comparison: Comparison | undefined,
): readonly ChangeRow[] {
  const { changed = [], new: fresh = [], removed = [] } = comparison ?? {};
  const told = [...changed.map(describeChanged), ...fresh.map(describeNew)];
  const digests = [...changed, ...fresh].map(({ digest }) => digest);
  const rows = layers.map((layer): ChangeRow => {
    const { digest, status, size, name } = layer;
    const at = digests.indexOf(digest);
    const [row] = at < 0 ? [] : told.splice(at, 1);
    if (at >= 0) digests.splice(at, 1);
    const notes = describeLargest(layer);
    return row ?? { status: status === "new" ? "equal" : status, size, name, notes };
  });
  return [...rows, ...removed.map(describeRemoved)];
}

/** How the layers came that both images have: `118 equal, 3 kept, 2 base`. */
export function describeSame({ same }: Comparison): string {
  const kinds = [
    [same.equal, "equal"],
    [same.kept, "kept"],
    [same.base, "base"],
  ] as const;
  return kinds
    .filter(([{ layers }]) => layers > 0)
    .map(([{ layers }, word]) => `${layers} ${word}`)
    .join(", ");
}

export function sumSame({ same }: Comparison): LayerSum {
  const all = [same.kept, same.equal, same.base];
  return { layers: all.reduce((sum, { layers }) => sum + layers, 0), size: sumSizes(all) };
}

function takeLargest(rows: readonly ChangeRow[], most: number): ChangeRows {
  const largest = new Set(rows.toSorted((a, b) => b.size - a.size).slice(0, most));
  const rest = rows.filter((row) => !largest.has(row));
  return {
    rows: rows.filter((row) => largest.has(row)),
    more: { layers: rest.length, size: sumSizes(rest) },
  };
}

function describeChanged(layer: ChangedLayer): ChangeRow {
  const { name, size, replaces, packageChanges } = layer;
  const old = renderSize(replaces.size);
  const isShared = layer.packages !== undefined || replaces.packages !== undefined;
  return {
    status: "changed",
    size,
    name,
    // The packages tell what changed in a name of many.
    replaces: replaces.name === name || isShared ? old : `${old}  ${replaces.name}`,
    notes: [
      ...describeShared(layer),
      ...describePackages(packageChanges),
      ...describeLargest(layer),
    ],
  };
}

function describeNew(layer: NewLayer): ChangeRow {
  const { name, size } = layer;
  return {
    status: "new",
    size,
    name,
    notes: [...describeShared(layer), ...describeLargest(layer)],
  };
}

function describeRemoved(layer: RemovedLayer): ChangeRow {
  const { name, size, nowIn } = layer;
  const notes = nowIn === undefined ? describeShared(layer) : [`now in ${nowIn}`];
  return { status: "removed", size, name, notes };
}

function describeShared({ packages }: NewLayer): readonly string[] {
  return packages === undefined ? [] : [`${packages.length} packages share it`];
}

function describePackages(changes: PackageChanges | undefined): readonly string[] {
  if (changes === undefined) return [];
  const words = [
    ...changes.changed.map(({ from, to }) => `${from} -> ${to}`),
    ...changes.new.map((one) => `new ${one}`),
    ...changes.removed.map((one) => `without ${one}`),
  ];
  return words.length === 0 ? [] : [listSome(words, 4)];
}

/** Less is no news, in bytes. */
const large = 1_000_000;

function describeLargest({ largest = [] }: Pick<ResultLayer, "largest">): readonly string[] {
  return largest
    .filter(({ size }) => size >= large)
    .slice(0, 3)
    .map(({ path, size }) => `${renderSize(size)}  /${path}`);
}
