import { rm } from "node:fs/promises";
import {
  createEntryChecker,
  openArchive,
  openLayer,
  type LayerFile,
  type LayerSource,
} from "../../archive/archive.ts";
import type { HistoryEntry } from "../../oci/oci.ts";
import type { CollectedLayer, PackingOptions, PreviousImages } from "../model.ts";
import { explainSystem } from "./explain-system.ts";
import { describeLayer, type FoundLayer } from "./found-layer.ts";
import { chooseReuse, collectSource, type SourceContext } from "./pack-source.ts";
import { createLayerJobs } from "./parallel.ts";
import { countBegun, sumBytes } from "./progress.ts";
import { indexPrevious, type PreviousLayer } from "./previous.ts";

/** A layer that is a tar archive somewhere, compressed or not. */
export interface ArchiveLayer {
  /** Its entry in the image; `created_by` is its name. */
  readonly history: HistoryEntry;
  /** Its name in errors. */
  readonly shown: string;
  /** Brings the archive into a file that is ours: it is removed as soon as it is open. Called once at most. */
  readonly bring: (signal: AbortSignal) => Promise<string>;
}

export interface ArchiveOptions extends PackingOptions {
  readonly previous: PreviousImages;
}

/**
 * Makes layers of archives, as of the loose ones of a build: each is checked, and packed canonically where it
 * is no previous image's. A few are there at once. Several of the same name and content are the previous image's several, in
 * order, so that the same archives give the same image. Errors: `layer-...`, `store-full`, `zstd-not-found`, those of `bring`.
 * @returns the layers in order; undefined for an archive that has nothing in it
 */
export async function collectArchives(
  archives: readonly ArchiveLayer[],
  { previous, ...given }: ArchiveOptions,
): Promise<readonly (CollectedLayer | undefined)[]> {
  const jobs = createLayerJobs(given.signal);
  const options = { ...given, signal: jobs.signal, onProgress: sumBytes(given.onProgress) };
  const begun = countBegun(archives.length, options);
  const context: SourceContext = { options, previous: indexPrevious(previous) };
  try {
    const found = await jobs.map(archives, async (archive) => {
      begun(nameArchive(archive.history));
      return { archive, layer: await collectArchive(archive, jobs.signal, context) };
    });
    return assignRepeated(found, context).map(({ archive: { history }, layer }) =>
      layer === undefined ? undefined : describeLayer(layer, nameArchive(history), history),
    );
  } catch (error) {
    throw explainSystem(error);
  }
}

function nameArchive({ created_by: name = "" }: HistoryEntry): string {
  return name;
}

async function collectArchive(
  { history, shown, bring }: ArchiveLayer,
  signal: AbortSignal,
  context: SourceContext,
): Promise<FoundLayer | undefined> {
  const { source, isEmpty } = await openBrought({ path: await bring(signal), shown }, context);
  try {
    if (isEmpty) return undefined;
    return await collectSource(source, { name: nameArchive(history), shown }, context);
  } finally {
    source.close();
  }
}

interface BroughtArchive {
  readonly source: LayerSource;
  /** Whether nothing is in it but the root, which layers do not have. */
  readonly isEmpty: boolean;
}

/** The file is gone when it is closed, whatever happens to us. */
async function openBrought(file: LayerFile, { options }: SourceContext): Promise<BroughtArchive> {
  const opened = openLayer(file);
  await rm(file.path);
  const check = createEntryChecker({ file: file.shown, allowDevices: options.allowDevices });
  let isEmpty = true;
  const source = await openArchive(opened, options, (entry) => {
    check(entry);
    if (entry.path !== "") isEmpty = false;
  });
  return { source, isEmpty };
}

interface FoundArchive {
  readonly archive: ArchiveLayer;
  readonly layer: FoundLayer | undefined;
}

/** The first of several that are equal in name and content is the previous image's first one, and so on. */
function assignRepeated(
  found: readonly FoundArchive[],
  context: SourceContext,
): readonly FoundArchive[] {
  const taken = new Map<PreviousLayer, number>();
  return found.map(({ archive, layer }) => {
    if (layer?.kind !== "equal") return { archive, layer };
    const candidates = listRepeated(layer.layer, nameArchive(archive.history), context);
    const [first = layer.layer] = candidates;
    const index = taken.get(first) ?? 0;
    taken.set(first, index + 1);
    const assigned = candidates[index] ?? candidates.at(-1) ?? first;
    return { archive, layer: { ...layer, layer: assigned } };
  });
}

/** The layers of the same image that would do as well, of that name where there are such. */
function listRepeated(
  layer: PreviousLayer,
  name: string,
  { options, previous }: SourceContext,
): readonly PreviousLayer[] {
  const isContent = chooseReuse(options) === "content";
  const isSame = ({ diffId, fingerprint }: PreviousLayer): boolean =>
    diffId === layer.diffId ||
    (isContent && fingerprint !== undefined && fingerprint === layer.fingerprint);
  const image = previous.images.find((one) => one.includes(layer)) ?? [layer];
  const same = image.filter(isSame);
  const named = same.filter((one) => one.name === name);
  return named.length === 0 ? same : named;
}
