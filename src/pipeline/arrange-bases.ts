import { showBytes } from "../archive/archive.ts";
import type { Diagnostic } from "../diagnostics.ts";
import type { CollectedEntry } from "../layers/layers.ts";
import { countCommonLayers, type Digest } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { showText } from "../visible.ts";
import { findHidden, type HiddenPath } from "./base-hides.ts";
import {
  concatenate,
  dropRepeated,
  type KnownPaths,
  listLayers,
  type PlacedEntry,
  standOnce,
} from "./base-order.ts";
import type { BaseImage } from "./bases.ts";
import { readBasePaths } from "./read-base-paths.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** What stands below the layers of a build. */
export interface ArrangedBases {
  readonly entries: readonly CollectedEntry[];
  /** How many of the entries are layers. */
  readonly layerCount: number;
  /** The digests of the layers and, where another build knew less of them, what it may have arranged them to. */
  readonly lists: readonly (readonly Digest[])[];
  readonly warnings: readonly Diagnostic[];
}

/**
 * How the layers of OUTPUT's `--from` stand: in order, a common leading run once (`standOnce`), and without those that
 * are proved to change nothing (`dropRepeated`). A warning names what one image hides of another. Layers are read only
 * where it can make a difference. `names`: what each image is called in warnings.
 */
export async function arrangeBases(
  bases: readonly BaseImage[],
  names: readonly string[],
  work: BuildRunWorkspace,
): Promise<ArrangedBases> {
  if (!needPaths(bases)) return arrangeKnown(bases, names, new Map());
  const done = work.reporter.step("Comparing the images of --from");
  const arranged = arrangeKnown(bases, names, await readBasePaths(bases, work));
  done();
  return arranged;
}

/** The same with what is known of the layers. */
export function arrangeKnown(
  bases: readonly Pick<BaseImage, "image" | "statuses">[],
  names: readonly string[],
  paths: KnownPaths,
): ArrangedBases {
  const placed = standOnce(bases);
  const arranged = dropRepeated(placed, bases, paths);
  const standing = {
    bases: bases.map(({ image }) => image.config.rootfs.diff_ids),
    placed: placed.flatMap(({ base, entry }) =>
      entry.kind === "layer" ? [{ base, diffId: entry.layer.diffId }] : [],
    ),
  };
  const hidden = findHidden(standing, paths);
  return {
    entries: arranged.map(({ entry, base }) => withStatus(entry, bases[base]?.statuses)),
    layerCount: listLayers(arranged).length,
    lists: [arranged, placed, concatenate(bases)].map(listDigests),
    warnings: hidden.length === 0 ? [] : [describeHidden(hidden, names)],
  };
}

/** What became of a layer where it was made, if that was just now. */
function withStatus(entry: CollectedEntry, statuses: BaseImage["statuses"]): CollectedEntry {
  if (entry.kind === "empty") return entry;
  const { layer } = entry;
  return {
    kind: "layer",
    layer: { ...layer, status: statuses?.get(layer.diffId) ?? layer.status },
  };
}

/** What the file calls the images whose layers stand below. */
export function nameBases({ target }: Pick<BuildPlan, "target">): string[] {
  return target.bases.map((one) => ("name" in one ? one.name : one.kind));
}

/** Not where each image stands on all of those before it, for then the last one is all that there is. */
function needPaths(bases: readonly BaseImage[]): boolean {
  return bases.some(({ image }, index) =>
    bases
      .slice(0, index)
      .some((one) => countCommonLayers(one.image, image) < one.image.config.rootfs.diff_ids.length),
  );
}

function listDigests(placed: readonly PlacedEntry[]): readonly Digest[] {
  return listLayers(placed).map(({ descriptor }) => descriptor.digest);
}

/** So many paths are named. */
const maxShown = 10;

function describeHidden(hidden: readonly HiddenPath[], names: readonly string[]): Diagnostic {
  const count = hidden.length === 1 ? "1 path" : `${hidden.length} paths`;
  const nameOf = (base: number): string => showText(names[base] ?? `image ${base + 1}`);
  const lines = hidden
    .slice(0, maxShown)
    .map(({ path, of, by }) => `${showPath(path)} of ${nameOf(of)} (hidden by ${nameOf(by)})`);
  const more = hidden.length - lines.length;
  const title = `images of --from hide ${count} of one another:`;
  return {
    code: "from-hides",
    severity: "warning",
    message: [title, ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("\n"),
    hint: "put the image whose files are wanted last, or make the images without these paths",
  };
}

function showPath(path: string): string {
  return showText(path === "" ? "/" : showBytes(path));
}
