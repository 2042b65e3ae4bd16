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
import { helperNotes } from "./helper-notes.ts";
import { readLooseLayers, type LooseLayer } from "./loose-layers.ts";

/** What a build put into its output, by name alone: nothing has been read yet. */
export interface OutputScan {
  readonly blobs: ReadonlyMap<Digest, FileStats>;
  readonly blobDirectory: OutputDirectory | undefined;
  /** In the order of the image. */
  readonly layers: readonly LooseLayer[];
  readonly layerDirectory: OutputDirectory | undefined;
  readonly hasState: boolean;
  /** What belongs nowhere. */
  readonly others: readonly OutputName[];
  /** Of what belongs nowhere. */
  readonly warnings: readonly Diagnostic[];
}

/** A name in a directory of the output. */
export interface OutputName {
  readonly directory: OutputDirectory;
  readonly name: ByteString;
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
  const others: OutputName[] = [];
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
  const known = new Set([...documents, "layers", "blobs", "state", ...helperNotes]);
  others.push(...findOthers(output, names, known));
  if (blobParent !== undefined) {
    others.push(...findOthers(blobParent, blobNames, new Set(["sha256"])));
  }
  const layers = layerDirectory === undefined ? [] : listLayers(layerDirectory, others);
  return {
    blobs: blobDirectory === undefined ? new Map() : listBlobs(blobDirectory),
    blobDirectory,
    layers,
    layerDirectory,
    hasState: names.has("state"),
    others,
    warnings: others.map(warnUnknown),
  };
}

function findOthers(
  directory: OutputDirectory,
  names: ReadonlySet<ByteString>,
  known: ReadonlySet<string>,
): readonly OutputName[] {
  return [...names].filter((name) => !known.has(name)).map((name) => ({ directory, name }));
}

function warnUnknown({ directory, name }: OutputName): Diagnostic {
  const hint =
    "put layers into output/layers or output/blobs/sha256, and what the next build may use into output/state";
  return {
    code: "output-unknown-file",
    severity: "warning",
    message: "it is not part of the image",
    hint,
    file: showName(directory, name),
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

function listLayers(directory: OutputDirectory, others: OutputName[]): readonly LooseLayer[] {
  return readLooseLayers(directory, listBounded(directory), (name) =>
    others.push({ directory, name }),
  );
}
