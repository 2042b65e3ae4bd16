import {
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

/**
 * The layers among these names of `output/layers`, in the order of the image; what is none is handed to
 * `onOther`. Errors: `output-file-type`, `output-name-invalid`, `layer-name-twice`.
 */
export function readLooseLayers(
  directory: OutputDirectory,
  names: readonly ByteString[],
  onOther: (name: ByteString) => void,
): readonly LooseLayer[] {
  const layers = names.flatMap((fileName) => {
    const stats = statName(directory, fileName);
    const layer = stats === undefined ? undefined : readName(directory, fileName, stats);
    if (layer === undefined) onOther(fileName);
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
