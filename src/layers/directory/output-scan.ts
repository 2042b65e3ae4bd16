import type { Diagnostic } from "../../diagnostics.ts";
import { isDigest, type Digest } from "../../oci/oci.ts";
import {
  listNames,
  openDirectory,
  refuse,
  showName,
  statName,
  wrongType,
  type ByteString,
  type FileStats,
  type OutputDirectory,
} from "../../archive/archive.ts";

/** A layer in `output/layers`. */
export interface LooseLayer {
  readonly kind: "tree" | "archive" | "keep";
  /** The layer's name, without order and suffix. */
  readonly name: string;
  /** Digits that say where it stands; undefined behind all that have some. */
  readonly order: bigint | undefined;
  /** Its name in `output/layers`. */
  readonly fileName: ByteString;
  readonly stats: FileStats;
}

/** What a build put into its output, by name alone: nothing has been read yet. */
export interface OutputScan {
  readonly blobs: ReadonlyMap<Digest, FileStats>;
  readonly blobDirectory: OutputDirectory | undefined;
  /** In the order of the image. */
  readonly layers: readonly LooseLayer[];
  readonly layerDirectory: OutputDirectory | undefined;
  readonly hasState: boolean;
  readonly warnings: readonly Diagnostic[];
}

const maxFiles = 20_000;
const documents = new Set(["history.json", "history.jsonl", "config.json", "annotations.json"]);

/**
 * Looks through the output directory. What belongs nowhere is a warning. The directories that it opens are
 * handed to `keepOpen`, for the caller to close. Errors: `output-file-type`, `blob-name-invalid`,
 * `output-name-invalid`, `layer-name-twice`.
 */
export function scanOutput(
  output: OutputDirectory,
  keepOpen: (directory: OutputDirectory) => void,
): OutputScan {
  const warnings: Diagnostic[] = [];
  const names = new Set(listBounded(output));
  const open = (parent: OutputDirectory, name: ByteString): OutputDirectory => {
    const directory = openDirectory(parent, name);
    keepOpen(directory);
    return directory;
  };
  const layerDirectory = names.has("layers") ? open(output, "layers") : undefined;
  const blobParent = names.has("blobs") ? open(output, "blobs") : undefined;
  const blobNames = new Set(blobParent === undefined ? [] : listBounded(blobParent));
  const blobDirectory =
    blobParent !== undefined && blobNames.has("sha256") ? open(blobParent, "sha256") : undefined;
  warnOthers(output, names, new Set([...documents, "layers", "blobs", "state"]), warnings);
  if (blobParent !== undefined) warnOthers(blobParent, blobNames, new Set(["sha256"]), warnings);
  return {
    blobs: blobDirectory === undefined ? new Map() : listBlobs(blobDirectory),
    blobDirectory,
    layers: layerDirectory === undefined ? [] : listLayers(layerDirectory, warnings),
    layerDirectory,
    hasState: names.has("state"),
    warnings,
  };
}

function warnOthers(
  directory: OutputDirectory,
  names: ReadonlySet<ByteString>,
  known: ReadonlySet<string>,
  warnings: Diagnostic[],
): void {
  for (const name of names) {
    if (!known.has(name)) warnings.push(warnUnknown(showName(directory, name)));
  }
}

function warnUnknown(file: string): Diagnostic {
  const hint =
    "put layers into output/layers or output/blobs/sha256, and what the next build may use into output/state";
  return {
    code: "output-unknown-file",
    severity: "warning",
    message: "it is not part of the image",
    hint,
    file,
  };
}

function listBlobs(directory: OutputDirectory): ReadonlyMap<Digest, FileStats> {
  const blobs = new Map<Digest, FileStats>();
  for (const name of listBounded(directory)) {
    const file = showName(directory, name);
    const digest = `sha256:${name}`;
    if (!isDigest(digest)) {
      const hint = "name the blob by the sha256 of its bytes: 64 lower-case hex digits";
      throw refuse("blob-name-invalid", "its name is not a digest", { file, hint });
    }
    blobs.set(digest, statFile(directory, name));
  }
  return blobs;
}

/** More files than an image can have layers are a mistake, and are not looked at one by one. */
function listBounded(directory: OutputDirectory): readonly ByteString[] {
  const names = listNames(directory, maxFiles + 1);
  if (names.length <= maxFiles) return names;
  const message = `it has more than ${maxFiles} files, more than an image can have layers`;
  const hint = "put what belongs to one layer into a directory of its own";
  throw refuse("layers-too-many", message, { file: directory.shown, hint });
}

function statFile(directory: OutputDirectory, name: ByteString): FileStats {
  const stats = statName(directory, name);
  const file = showName(directory, name);
  if (stats?.type === "file") return stats;
  if (stats !== undefined) throw wrongType(file, stats, "file");
  throw refuse("output-changed", "it disappeared while it was read", {
    file,
    hint: "make every process of the step end before the step ends",
  });
}

function listLayers(directory: OutputDirectory, warnings: Diagnostic[]): readonly LooseLayer[] {
  const layers = listBounded(directory).flatMap((fileName) => {
    const stats = statName(directory, fileName);
    const layer = stats === undefined ? undefined : readName(directory, fileName, stats);
    if (layer === undefined) warnings.push(warnUnknown(showName(directory, fileName)));
    return layer === undefined ? [] : [layer];
  });
  layers.sort(compareLayers);
  layers.forEach((layer, index) => {
    const before = layers[index - 1];
    if (before === undefined || compareLayers(before, layer) !== 0) return;
    const hint = "remove one of them, or tell them apart by their order: 10-name, 20-name";
    const message = `it has the same name as ${showName(directory, before.fileName)}`;
    throw refuse("layer-name-twice", message, { file: showName(directory, layer.fileName), hint });
  });
  return layers;
}

function readName(
  directory: OutputDirectory,
  fileName: ByteString,
  stats: FileStats,
): LooseLayer | undefined {
  const file = showName(directory, fileName);
  const suffix = /\.(?:tar(?:\.gz|\.zst)?|keep)$/.exec(fileName)?.[0] ?? "";
  if (suffix === "" && stats.type === "file") return undefined;
  if (stats.type !== (suffix === "" ? "directory" : "file")) {
    throw wrongType(file, stats, suffix === "" ? "directory" : "file");
  }
  const [, digits, rest] =
    /^(?:([0-9]+)-)?(.*)$/s.exec(fileName.slice(0, fileName.length - suffix.length)) ?? [];
  const kind = suffix === "" ? "tree" : suffix === ".keep" ? "keep" : "archive";
  const order = digits === undefined ? undefined : BigInt(digits);
  return { kind, name: decodeName(rest ?? "", file), order, fileName, stats };
}

function decodeName(name: ByteString, file: string): string {
  const text = Buffer.from(name, "latin1").toString("utf8");
  const isUtf8 = Buffer.from(text, "utf8").toString("latin1") === name;
  if (isUtf8 && text !== "") return text;
  const hint =
    'give the file a plain name, and the layer\'s name in output/history.json with "path"';
  const message =
    text === "" ? "its name has nothing but the digits of its order" : "its name is not UTF-8";
  throw refuse("output-name-invalid", message, { file, hint });
}

function compareLayers(a: LooseLayer, b: LooseLayer): number {
  if (a.order !== b.order) {
    if (a.order === undefined) return 1;
    return b.order === undefined || a.order < b.order ? -1 : 1;
  }
  const [first, second] = [Buffer.from(a.name), Buffer.from(b.name)];
  return Buffer.compare(first, second);
}
