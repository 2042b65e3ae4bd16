import { createHash } from "node:crypto";
import { digestHex, type Digest } from "../../oci/oci.ts";
import {
  closeFile,
  createEntryChecker,
  createExpander,
  createTarReader,
  detectCompression,
  openFile,
  readChunks,
  readStart,
  refuse,
  tooLarge,
  type Compression,
  type Entry,
  type OutputFile,
} from "../../archive/archive.ts";
import { createBlobWriter, type BlobWriter, type StagedBlob } from "../../store/store.ts";
import { settleAll } from "../../system/settle.ts";
import type { OutputScan } from "../directory/output-scan.ts";
import type { CollectOptions } from "../model.ts";
import { layerTypes, type FoundLayer } from "./found-layer.ts";
import type { PreviousLayers } from "./previous.ts";

export interface ExactContext {
  readonly options: CollectOptions;
  readonly previous: PreviousLayers;
  readonly scan: OutputScan;
  readonly onEntry: (entry: Entry) => void;
}

/** What a stream may expand to whatever its size. Bytes. */
const freeExpansion = 1024 ** 3;
const maxRatio = 200;

/**
 * Takes a blob bit for bit: one pass that copies it to the staging directory, hashes it, expands it and
 * judges the archive in it. One that is a previous image's layer, and in our store, is not looked into again; of
 * one that is elsewhere we know what its image says alone, and the bytes decide. Errors:
 * `blob-digest-mismatch`, `layer-...`, `output-...`.
 */
export async function collectExact(
  digest: Digest,
  context: ExactContext,
): Promise<FoundLayer | undefined> {
  const { blobs, blobDirectory } = context.scan;
  if (blobDirectory === undefined) return undefined;
  const file = openFile(blobDirectory, digestHex(digest), blobs.get(digest));
  try {
    return await copyBlob(file, digest, context);
  } finally {
    closeFile(file);
  }
}

async function copyBlob(
  file: OutputFile,
  digest: Digest,
  context: ExactContext,
): Promise<FoundLayer> {
  const { options, previous } = context;
  if (file.stats.size > options.maxLayerSize) throw tooLarge(file.shown, options.maxLayerSize);
  const writer = createBlobWriter(options.staging);
  try {
    const layer = previous.byDigest.get(digest);
    if (layer !== undefined && (await options.isKnown(digest))) {
      await readChunks(file, writer.write, options.signal);
      return { kind: "equal", layer, blob: await finishBlob(writer, digest, file.shown) };
    }
    const { compression, diffId = digest } = await judgeBlob(file, writer, context);
    const blob = await finishBlob(writer, digest, file.shown);
    if (layer?.diffId === diffId) return { kind: "equal", layer, blob };
    const descriptor = { mediaType: layerTypes[compression], digest, size: blob.size };
    return { kind: "new", descriptor, diffId, blob };
  } finally {
    writer.discard();
  }
}

/** The name that the build gave a blob is its digest, or a lie. */
async function finishBlob(writer: BlobWriter, digest: Digest, shown: string): Promise<StagedBlob> {
  const actual = writer.digest();
  if (actual === digest) return writer.finish();
  const hint = "name it by the sha256 of its bytes, and let nothing write to it after that";
  const message = `its content has the digest ${actual}`;
  throw refuse("blob-digest-mismatch", message, { file: shown, hint });
}

/** What a blob proved to be. */
interface JudgedBlob {
  readonly compression: Compression;
  /** Undefined for a blob that is not compressed, whose digest it is. */
  readonly diffId: Digest | undefined;
}

async function judgeBlob(
  file: OutputFile,
  writer: BlobWriter,
  context: ExactContext,
): Promise<JudgedBlob> {
  const compression = detectCompression(await readStart(file, 4));
  const judge = createJudge(file, compression, context);
  const expander = createExpander(compression, file.shown, judge.write);
  try {
    const { onProgress } = context.options;
    const take = async (chunk: Buffer): Promise<void> => {
      onProgress?.({ bytes: chunk.length });
      // Both use the same bytes.
      await settleAll([writer.write(chunk), expander.write(chunk)]);
    };
    await readChunks(file, take, context.options.signal);
    await expander.end();
  } finally {
    await expander.stop();
  }
  return { compression, diffId: judge.end() };
}

interface Judge {
  readonly write: (bytes: Buffer) => void;
  /** The diff ID, as in `JudgedBlob`. */
  readonly end: () => Digest | undefined;
}

function createJudge(
  file: OutputFile,
  compression: Compression,
  { options, onEntry }: ExactContext,
): Judge {
  const { shown } = file;
  const limit = Math.max(freeExpansion, maxRatio * file.stats.size);
  const check = createEntryChecker({ file: shown, allowDevices: options.allowDevices });
  let sparse = 0;
  let size = 0;
  const reader = createTarReader(shown, (entry) => {
    sparse += entry.size - entry.dataSize;
    assertExpansion(shown, size + sparse, limit);
    check(entry);
    onEntry(entry);
  });
  const hash = compression === "none" ? undefined : createHash("sha256");
  return {
    write: (bytes) => {
      size += bytes.length;
      assertExpansion(shown, size + sparse, limit);
      hash?.update(bytes);
      reader.write(bytes);
    },
    end: () => {
      reader.end();
      return hash === undefined ? undefined : `sha256:${hash.digest("hex")}`;
    },
  };
}

function assertExpansion(shown: string, size: number, limit: number): void {
  if (size <= limit) return;
  const message = `it expands to more than ${limit} bytes, which is ${maxRatio} times its size`;
  const hint = "leave out large files of zeros, or give the layer as a tree";
  throw refuse("layer-expands-too-much", message, { file: shown, hint });
}
