import {
  decodePaths,
  encodePaths,
  type LayerFile,
  type LayerPaths,
  readLayerPaths,
} from "../archive/archive.ts";
import { XbuildError } from "../errors.ts";
import { type Descriptor, type Digest, listHistory } from "../oci/oci.ts";
import { findBlob, findListing, keepListing } from "../store/store.ts";
import { systemCode } from "../system/errno.ts";
import type { KnownPaths } from "./base-order.ts";
import type { BaseImage } from "./bases.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** Of so many paths in all: memory has an end, and images may have more layers than that. */
const maxPaths = 2_000_000;

/**
 * What the layers of these images say of paths, each read once: those whose bytes are in the store or came for this
 * build, for nothing is fetched for it. Those that cannot be read are left out. The store remembers what its own blobs
 * say: 100,000 files take a second to read, and a twentieth of that to remember.
 */
export async function readBasePaths(
  bases: readonly BaseImage[],
  work: Pick<BuildRunWorkspace, "store" | "signal">,
): Promise<KnownPaths> {
  const known = new Map<Digest, LayerPaths>();
  let left = maxPaths;
  for (const base of bases) {
    for (const { layer } of listHistory(base.image)) {
      if (layer === undefined || known.has(layer.diffId) || left <= 0) continue;
      const paths = await readBlob(layer.descriptor, base, work);
      if (paths === undefined) continue;
      known.set(layer.diffId, paths);
      left -= paths.entries.size + paths.removed.size + paths.opaque.size;
    }
  }
  return known;
}

async function readBlob(
  descriptor: Descriptor,
  { files }: BaseImage,
  { store, signal }: Pick<BuildRunWorkspace, "store" | "signal">,
): Promise<LayerPaths | undefined> {
  const { digest } = descriptor;
  const stored = await findBlob(store, descriptor);
  const path = stored ?? files.get(digest);
  if (path === undefined) return undefined;
  const listing = await findListing(store, digest);
  const remembered = listing && decodePaths(listing);
  if (remembered !== undefined) return remembered;
  const paths = await readQuietly({ path, shown: digest }, signal);
  // Of what came for this build nobody has seen yet that it is what its digest says.
  const bytes = paths === undefined || stored === undefined ? undefined : encodePaths(paths);
  if (bytes !== undefined) await keepListing(store, digest, bytes);
  return paths;
}

/** Undefined where it cannot be read, or a prune has removed it. */
async function readQuietly(file: LayerFile, signal: AbortSignal): Promise<LayerPaths | undefined> {
  try {
    return await readLayerPaths(file, signal);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof XbuildError) && systemCode(error) === undefined) throw error;
    return undefined;
  }
}
