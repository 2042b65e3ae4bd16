import { type LayerFile } from "../archive/archive.ts";
import type { Workspace } from "../delivery/delivery.ts";
import { XbuildError } from "../errors.ts";
import {
  countCommonLayers,
  type Descriptor,
  type Digest,
  type Image,
  type LayerFiles,
  listHistory,
} from "../oci/oci.ts";
import { findBlob, type Store } from "../store/store.ts";
import { showText } from "../visible.ts";
import { findConflicts, type Conflict } from "./overlap/conflicts.ts";

/** The images of a rebase, and what is known of their bytes. */
export interface Check {
  readonly image: Image;
  readonly from: Image;
  readonly onto: Image;
  /** Bytes that are in no store. */
  readonly files: LayerFiles;
  readonly force: boolean;
}

/** So many paths are named. */
const maxShown = 20;

/**
 * Refuses a rebase whose own layers hide what changed in the base; with `force` that is a warning. It needs
 * the bytes of all layers that differ: where one is not on this machine nothing is fetched, and a warning
 * says that it was not checked. Errors: `rebase-conflict`.
 */
export async function checkConflicts(check: Check, work: Workspace): Promise<void> {
  const own = listNames(check.image).slice(check.from.manifest.layers.length);
  const conflicts = await readConflicts(check, own, work);
  if (typeof conflicts === "string") {
    const message = `could not check whether the image's own layers hide changes of the base: ${conflicts}`;
    const hint =
      "rebase an image that was built here onto a local copy of the base to have it checked";
    work.reporter.warn({ code: "rebase-unchecked", severity: "warning", message, hint });
    return;
  }
  if (conflicts.length === 0) return;
  const message = describeConflicts(conflicts, own, check);
  const hint = "build the image again on the new base, or accept it as it is with --force";
  if (!check.force) throw new XbuildError("rebase-conflict", message, { hint });
  work.reporter.warn({ code: "rebase-conflict", severity: "warning", message });
}

/** @returns a text where it cannot be found out: why */
async function readConflicts(
  { image, from, onto, files }: Check,
  own: readonly string[],
  { store, signal }: Workspace,
): Promise<readonly Conflict[] | string> {
  const base = from.manifest.layers.length;
  const common = countCommonLayers(from, onto);
  const oldLayers = from.manifest.layers.slice(common);
  const newLayers = onto.manifest.layers.slice(common);
  if (own.length === 0 || oldLayers.length + newLayers.length === 0) return [];
  const find = (layers: readonly Descriptor[], others: readonly Descriptor[] = []): Found =>
    Promise.all(layers.map((layer, at) => findFile([layer, others[at]], files, store)));
  const sides = [
    await find(image.manifest.layers.slice(base)),
    // The image may have the same content compressed in another way.
    await find(oldLayers, image.manifest.layers.slice(common, base)),
    await find(newLayers),
  ];
  const missing = sides.flat().filter((file) => file === undefined).length;
  if (missing > 0)
    return `${missing === 1 ? "1 layer is" : `${missing} layers are`} not on this machine`;
  const [ownFiles = [], fromFiles = [], ontoFiles = []] = sides.map((side) =>
    side.filter((file) => file !== undefined),
  );
  try {
    return await findConflicts({ own: ownFiles, from: fromFiles, onto: ontoFiles, signal });
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    return error.message;
  }
}

type Found = Promise<readonly (LayerFile | undefined)[]>;

async function findFile(
  layers: readonly (Descriptor | undefined)[],
  files: LayerFiles,
  store: Store,
): Promise<LayerFile | undefined> {
  for (const layer of layers) {
    if (layer === undefined) continue;
    const path = files.get(layer.digest) ?? (await findBlob(store, layer));
    if (path !== undefined) return { path, shown: layer.digest };
  }
  return undefined;
}

/** What the history calls the image's layers, the lowest first. */
function listNames(image: Image): readonly string[] {
  return listHistory(image).flatMap(({ entry, layer }) =>
    layer === undefined ? [] : [showName(entry.created_by, layer.diffId)],
  );
}

/** A name may be a whole shell script. */
function showName(name: string | undefined, diffId: Digest): string {
  const line = showText((name ?? diffId).slice(0, 1000).replaceAll(/\s+/g, " ").trim());
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

function describeConflicts(
  conflicts: readonly Conflict[],
  own: readonly string[],
  { from, onto }: Check,
): string {
  const count = conflicts.length === 1 ? "1 path" : `${conflicts.length} paths`;
  const title = `the image's own layers hide ${count} that changed from base ${from.digest} to base ${onto.digest}:`;
  const lines = conflicts
    .slice(0, maxShown)
    .map(({ path, layer }) => `${showText(path)} (${own[layer] ?? "an own layer"})`);
  const more = conflicts.length - lines.length;
  return [title, ...lines, ...(more > 0 ? [`and ${more} more`] : [])].join("\n");
}
