import {
  absent,
  isDirectoryState,
  listParents,
  readMeanings,
  type ByteString,
  type LayerFile,
  type Meaning,
  type PathState,
} from "../../archive/archive.ts";

/** What some layers of a base make of the paths that matter. */
export interface BasePaths {
  /** The paths that they have or remove. */
  readonly list: () => Iterable<ByteString>;
  /** What a path is above them; undefined where they leave it as it is below. */
  readonly find: (path: ByteString) => PathState | undefined;
}

interface Placed {
  readonly state: PathState;
  readonly layer: number;
}

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
  /** Those that it has so far. */
  readonly files: Map<ByteString, PathState>;
}

/** Reads these layers, the lowest first. Errors: as `readMeanings`. */
export async function readBasePaths(
  layers: readonly LayerFile[],
  matters: (path: ByteString) => boolean,
  signal?: AbortSignal,
): Promise<BasePaths> {
  const scan: Scan = { matters, entries: new Map(), removed: new Map(), opaque: new Map() };
  for (const [index, layer] of layers.entries()) {
    const layerScan: LayerScan = { scan, layer: index, files: new Map() };
    const take = (meaning: Meaning): void => takeMeaning(layerScan, meaning);
    const findFile = (path: ByteString): PathState | undefined => layerScan.files.get(path);
    await readMeanings(layer, { take, findFile }, signal);
  }
  return {
    list: function* () {
      yield* scan.entries.keys();
      yield* scan.removed.keys();
    },
    find: (path) => findState(scan, path),
  };
}

function takeMeaning({ scan, layer, files }: LayerScan, meaning: Meaning): void {
  const { matters, entries, removed, opaque } = scan;
  const { kind, path } = meaning;
  if (kind === "removed") removed.set(path, layer);
  else if (kind === "opaque") opaque.set(path, layer);
  else {
    const { state } = meaning;
    if (!isDirectoryState(state)) files.set(path, state);
    if (matters(path)) entries.set(path, { state, layer });
  }
}

/** Whiteouts are for the layers below theirs: what stands in the same layer stays. */
function findState({ entries, removed, opaque }: Scan, path: ByteString): PathState | undefined {
  let cleared = removed.get(path) ?? -1;
  let covered = -1;
  for (const parent of listParents(path)) {
    cleared = Math.max(cleared, removed.get(parent) ?? -1, opaque.get(parent) ?? -1);
    // Something else took the place of its directory: that is what is told then.
    const above = entries.get(parent);
    if (above !== undefined && !isDirectoryState(above.state))
      covered = Math.max(covered, above.layer);
  }
  const entry = entries.get(path);
  if (entry !== undefined && entry.layer >= Math.max(cleared, covered)) return entry.state;
  return cleared === -1 ? undefined : absent;
}
