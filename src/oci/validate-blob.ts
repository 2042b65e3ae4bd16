import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { compressionOf } from "./media-types.ts";
import type { Descriptor, Digest } from "./model.ts";

/** One thing that is wrong. */
export interface Finding {
  /** Stable, kebab-case. */
  readonly code: string;
  readonly message: string;
  /** Where: the document and its members, or the file, as `manifest.layers.3`. */
  readonly path: string;
}

export type Bytes = AsyncIterable<Uint8Array>;

/** Where a layer's bytes come from. */
export interface BlobReader {
  /** The bytes of a blob from its start, or undefined where it is not there. May be called twice. */
  readonly read: (digest: Digest) => Promise<Bytes | undefined>;
  /** Node 20 has no zstd; without this the diff IDs of such layers are a finding. */
  readonly decompressZstd?: (bytes: Bytes) => Bytes;
  /** Layers may be elsewhere (kept by reference): then they are no finding. */
  readonly allowMissing?: boolean;
}

interface Measured {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** The first 512 bytes: what tells the formats apart. */
  readonly head: Uint8Array;
}

/** What an image says about one of its layers. */
export interface LayerClaim {
  readonly descriptor: Descriptor;
  readonly diffId: Digest | undefined;
  /** Where the image says it; see `Finding`. */
  readonly path: string;
}

/** What is wrong with one layer's bytes, against what the image says. */
export async function validateBlob(
  claim: LayerClaim,
  reader: BlobReader,
): Promise<readonly Finding[]> {
  const { descriptor, diffId, path } = claim;
  const bytes = await reader.read(descriptor.digest);
  if (bytes === undefined) {
    const message = `the blob ${descriptor.digest} is missing`;
    return reader.allowMissing === true ? [] : [{ code: "blob-missing", message, path }];
  }
  const measured = await measure(bytes);
  const findings = [
    ...compare("blob-digest", path, { said: descriptor.digest, actual: measured.digest }),
    ...compare("blob-size", path, { said: descriptor.size, actual: measured.size }),
    ...compare("blob-compression", path, {
      said: compressionOf(descriptor.mediaType),
      actual: guess(measured.head),
    }),
  ];
  // What is wrong already would only be said again, in other words.
  if (findings.length > 0 || diffId === undefined) return findings;
  return validateDiffId(claim, diffId, reader);
}

async function validateDiffId(
  { descriptor, path }: LayerClaim,
  diffId: Digest,
  reader: BlobReader,
): Promise<readonly Finding[]> {
  const bytes = await reader.read(descriptor.digest);
  const content = bytes && decompress(bytes, descriptor.mediaType, reader);
  if (content === undefined) {
    return [{ code: "blob-unreadable", message: "nothing here decompresses zstd", path }];
  }
  try {
    const { digest } = await measure(content);
    return compare("diff-id", path, { said: diffId, actual: digest });
  } catch (error) {
    return [{ code: "blob-broken", message: `it cannot be decompressed: ${String(error)}`, path }];
  }
}

async function measure(bytes: Bytes): Promise<Measured> {
  const hash = createHash("sha256");
  let size = 0;
  let head = Buffer.alloc(0);
  for await (const chunk of bytes) {
    hash.update(chunk);
    size += chunk.byteLength;
    if (head.byteLength < 512) head = Buffer.concat([head, chunk]).subarray(0, 512);
  }
  return { digest: `sha256:${hash.digest("hex")}`, size, head };
}

/** By the magic numbers of RFC 1952 and RFC 8878; a tar is what has its checksum at the right place. */
function guess(head: Uint8Array): "gzip" | "zstd" | "none" | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  const word = head.byteLength < 4 ? 0 : Buffer.from(head).readUInt32LE(0);
  if (word === 0xfd2fb528 || (word >= 0x184d2a50 && word <= 0x184d2a5f)) return "zstd";
  const isEmptyArchive = head.byteLength === 512 && head.every((byte) => byte === 0);
  const isArchive = Buffer.from(head.subarray(257, 262)).toString("latin1") === "ustar";
  return isArchive || isEmptyArchive ? "none" : undefined;
}

function decompress(bytes: Bytes, mediaType: string, reader: BlobReader): Bytes | undefined {
  const compression = compressionOf(mediaType);
  if (compression === "zstd") return reader.decompressZstd?.(bytes);
  return compression === "gzip" ? gunzip(bytes) : bytes;
}

function gunzip(bytes: Bytes): Bytes {
  const source = Readable.from(bytes);
  const target = createGunzip();
  source.on("error", (error) => target.destroy(error));
  return source.pipe(target);
}

/** A finding where what is said is not so. */
export function compare<T>(
  code: string,
  path: string,
  { said, actual }: { readonly said: T; readonly actual: T },
): readonly Finding[] {
  if (said === actual) return [];
  return [{ code, message: `it is said to be ${String(said)}, but is ${String(actual)}`, path }];
}
