import {
  readLayerFile,
  type ArchivedEntry,
  type ByteString,
  type LayerFile,
} from "../../archive/archive.ts";
import { listParents, readMeaning } from "./paths.ts";

/** What some layers of a base make of the paths that matter. */
export interface BasePaths {
  /** The paths that they have or remove. */
  readonly list: () => Iterable<ByteString>;
  /** What a path is above them; undefined where they leave it as it is below. */
  readonly find: (path: ByteString) => PathState | undefined;
}

export interface PathState {
  readonly type: ArchivedEntry["type"] | "absent";
  /** Equal for what is equal in all but time. */
  readonly signature: string;
}

type Placed = PathState & { readonly layer: number };

interface Scan {
  readonly matters: (path: ByteString) => boolean;
  readonly entries: Map<ByteString, Placed>;
  /** By the layer that removed the path, or what was in the directory. */
  readonly removed: Map<ByteString, number>;
  readonly opaque: Map<ByteString, number>;
}

/** One layer of the base while it is read. */
interface LayerScan {
  readonly scan: Scan;
  readonly layer: number;
  /** What it has so far, for a hard link names a file of its own layer. */
  readonly states: Map<ByteString, PathState>;
}

const absent: PathState = { type: "absent", signature: "absent" };

/** Reads these layers, the lowest first. Errors: as `readLayerFile`. */
export async function readBasePaths(
  layers: readonly LayerFile[],
  matters: (path: ByteString) => boolean,
  signal?: AbortSignal,
): Promise<BasePaths> {
  const scan: Scan = { matters, entries: new Map(), removed: new Map(), opaque: new Map() };
  for (const [index, layer] of layers.entries()) {
    const layerScan: LayerScan = { scan, layer: index, states: new Map() };
    const take = (entry: ArchivedEntry, content: string): void =>
      takeEntry(layerScan, entry, content);
    await readLayerFile(layer, take, signal);
  }
  return {
    list: function* () {
      yield* scan.entries.keys();
      yield* scan.removed.keys();
    },
    find: (path) => findState(scan, path),
  };
}

function takeEntry(
  { scan, layer, states }: LayerScan,
  entry: ArchivedEntry,
  content: string,
): void {
  const { matters, entries, removed, opaque } = scan;
  const { kind, path } = readMeaning(entry.path);
  if (kind === "removed") removed.set(path, layer);
  else if (kind === "opaque") opaque.set(path, layer);
  else {
    const linked = entry.type === "hard-link" ? states.get(entry.link) : undefined;
    const state = linked ?? describeEntry(entry, content);
    if (state.type !== "directory") states.set(path, state);
    if (matters(path)) entries.set(path, { ...state, layer });
  }
}

/** All that makes a difference. A link's mode is what its archiver made up. */
function describeEntry(entry: ArchivedEntry, content: string): PathState {
  const { type, uid, gid, size, link, deviceMajor, deviceMinor, xattrs, sparse } = entry;
  const mode = type === "symlink" ? 0 : entry.mode;
  const device = [deviceMajor, deviceMinor];
  const parts = [type, mode, uid, gid, size, content, link, device, xattrs, sparse];
  return { type, signature: JSON.stringify(parts) };
}

/** Whiteouts are for the layers below theirs: what stands in the same layer stays. */
function findState({ entries, removed, opaque }: Scan, path: ByteString): PathState | undefined {
  let cleared = removed.get(path) ?? -1;
  let covered = -1;
  for (const parent of listParents(path)) {
    cleared = Math.max(cleared, removed.get(parent) ?? -1, opaque.get(parent) ?? -1);
    // Something else took the place of its directory: that is what is told then.
    const above = entries.get(parent);
    if (above !== undefined && above.type !== "directory") covered = Math.max(covered, above.layer);
  }
  const entry = entries.get(path);
  if (entry !== undefined && entry.layer >= Math.max(cleared, covered)) return entry;
  return cleared === -1 ? undefined : absent;
}
