import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { XbuildError } from "../errors.ts";
import type { Digest } from "../oci/oci.ts";
import { openArchive } from "./archive-source.ts";
import { createExpander, detectCompression, type Expander } from "./compress/expand.ts";
import { createPackStream } from "./pack/stream.ts";
import { type LayerFile, openLayer } from "./read/layer-file.ts";

/** What a layer's bytes say of themselves. */
export interface LayerIdentity {
  /** Of the archive, whatever it is compressed with. image-spec v1.1, config.md, "Layer DiffID". */
  readonly diffId: Digest;
  /** Of its content, in hex; undefined where it was not asked for. */
  readonly fingerprint: string | undefined;
}

export interface IdentifyOptions {
  /** Whether the content's fingerprint is wanted too: the archive is then brought into canonical order. */
  readonly fingerprint: boolean;
  /** Where an archive may be expanded to, in files without a name. */
  readonly staging: string;
  readonly signal?: AbortSignal | undefined;
}

const chunkSize = 1024 * 1024;

/** Computes what images claim of a layer. Errors: `layer-compression-*`, `layer-tar-*`, `zstd-not-found`. */
export async function identifyLayer(
  file: LayerFile,
  options: IdentifyOptions,
): Promise<LayerIdentity> {
  const diffId = await readDiffId(file, options.signal);
  const fingerprint = options.fingerprint ? await readFingerprint(file, options) : undefined;
  return { diffId, fingerprint };
}

/** The diff ID of a layer's bytes: one pass, no layer in memory. */
async function readDiffId(file: LayerFile, signal?: AbortSignal): Promise<Digest> {
  const hash = createHash("sha256");
  let expander: Expander | undefined;
  try {
    const chunks: AsyncIterable<Buffer> = createReadStream(file.path, { highWaterMark: chunkSize });
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      expander ??= createExpander(detectCompression(chunk), file.shown, (bytes) => {
        hash.update(bytes);
      });
      await expander.write(chunk);
    }
    await expander?.end();
  } finally {
    await expander?.stop();
  }
  return `sha256:${hash.digest("hex")}`;
}

/** The digest of a blob and, in the same pass, the diff ID that it has as a layer; undefined for what is none. */
export async function hashBlob(
  path: string,
  signal?: AbortSignal,
): Promise<{ readonly digest: Digest; readonly diffId: Digest | undefined }> {
  const hash = createHash("sha256");
  const expanded = createDiffIdHash(path);
  // Small blobs are many: a buffer of full size for each would only be work for the garbage collector.
  const { size } = await stat(path);
  const highWaterMark = Math.min(size + 1, chunkSize);
  const chunks: AsyncIterable<Buffer> = createReadStream(path, { highWaterMark });
  try {
    for await (const chunk of chunks) {
      signal?.throwIfAborted();
      hash.update(chunk);
      await expanded.write(chunk);
    }
    return { digest: `sha256:${hash.digest("hex")}`, diffId: await expanded.end() };
  } finally {
    await expanded.stop();
  }
}

/** Goes on without a word where the bytes prove to be no layer. */
function createDiffIdHash(shown: string): {
  readonly write: (chunk: Buffer) => Promise<void>;
  readonly end: () => Promise<Digest | undefined>;
  readonly stop: () => Promise<void>;
} {
  const hash = createHash("sha256");
  let expander: Expander | undefined;
  let isBroken = false;
  const attempt = async (action: () => Promise<void>): Promise<void> => {
    if (isBroken) return;
    try {
      await action();
    } catch (error) {
      if (!(error instanceof XbuildError) || !error.code.startsWith("layer-")) throw error;
      isBroken = true;
    }
  };
  return {
    write: (chunk) =>
      attempt(() => {
        expander ??= createExpander(detectCompression(chunk), shown, (bytes) => {
          hash.update(bytes);
        });
        return expander.write(chunk);
      }),
    end: async () => {
      await attempt(async () => expander?.end());
      return isBroken ? undefined : `sha256:${hash.digest("hex")}`;
    },
    stop: async () => expander?.stop(),
  };
}

async function readFingerprint(
  { path, shown }: LayerFile,
  { staging, signal }: IdentifyOptions,
): Promise<string> {
  const limits = { maxLayerSize: Number.MAX_SAFE_INTEGER, staging, signal };
  const source = await openArchive(openLayer({ path, shown }), limits, () => undefined);
  try {
    const options = { shown, epoch: undefined, maxSize: limits.maxLayerSize, signal };
    const stream = createPackStream({ ...options, contentOnly: true });
    await source.pack(stream);
    return (await stream.end()).fingerprint;
  } finally {
    source.close();
  }
}
