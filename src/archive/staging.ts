import { createHash } from "node:crypto";
import { closeSync, fchmodSync, fsync, openSync, rename, rmSync, write, writeSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Digest } from "../oci/oci.ts";
import { refuse } from "./refuse.ts";

const syncFile = promisify(fsync);
const moveFile = promisify(rename);
const writeFile = promisify(write);

export interface StagedBlob {
  readonly digest: Digest;
  readonly size: number;
  /** `<staging>/<hex>` */
  readonly path: string;
}

/** A blob that is being written: under a name of its own until it is whole. */
export interface BlobWriter {
  /** Takes the next bytes; they may be used again once the promise is settled. */
  readonly write: (bytes: Buffer) => Promise<void>;
  /** Makes it durable and gives it its digest as name. Errors: `blob-digest-mismatch` where another is expected. */
  readonly finish: (expected?: Digest) => Promise<StagedBlob>;
  /** Removes what was written; harmless after `finish`. */
  readonly discard: () => void;
}

let count = 0;

/**
 * Writes a new blob to the staging directory while hashing it. `shown` is the layer's name in the error
 * `layer-too-large`.
 */
export function createBlobWriter(staging: string, shown: string, maxSize: number): BlobWriter {
  count += 1;
  const temporary = join(staging, `.${process.pid}-${count}.tmp`);
  const state = { fd: openSync(temporary, "wx", 0o644), size: 0 };
  const hash = createHash("sha256");
  return {
    write: async (bytes) => {
      state.size += bytes.length;
      if (state.size > maxSize) throw tooLarge(shown, maxSize);
      const at = state.size - bytes.length;
      const written = writeWhole(state.fd, bytes, at);
      hash.update(bytes);
      await written;
    },
    finish: async (expected) => {
      const hex = hash.digest("hex");
      if (expected !== undefined && expected !== `sha256:${hex}`) throw wrongDigest(shown, hex);
      // Later builds may read it as any user of their container, whatever our umask.
      fchmodSync(state.fd, 0o644);
      await syncFile(state.fd);
      closeSync(state.fd);
      state.fd = -1;
      const path = join(staging, hex);
      await moveFile(temporary, path);
      return { digest: `sha256:${hex}`, size: state.size, path };
    },
    discard: () => {
      if (state.fd === -1) return;
      closeSync(state.fd);
      state.fd = -1;
      rmSync(temporary, { force: true });
    },
  };
}

/** The error for a layer that is over `--max-layer-size`. */
export function tooLarge(shown: string, maxSize: number): Error {
  const hint = "split it, or allow more with --max-layer-size";
  return refuse("layer-too-large", `the layer is larger than ${maxSize} bytes`, {
    file: shown,
    hint,
  });
}

function wrongDigest(shown: string, hex: string): Error {
  const hint = "name it by the sha256 of its bytes, and let nothing write to it after that";
  return refuse("blob-digest-mismatch", `its content has the digest sha256:${hex}`, {
    file: shown,
    hint,
  });
}

/** Writes all of these bytes at this place of a file. */
export async function writeWhole(fd: number, bytes: Buffer, position: number): Promise<void> {
  // Small writes cost less than a trip to the thread pool.
  const isSmall = bytes.length < 64 * 1024;
  let done = 0;
  while (done < bytes.length) {
    const left = bytes.length - done;
    done += isSmall
      ? writeSync(fd, bytes, done, left, position + done)
      : (await writeFile(fd, bytes, done, left, position + done)).bytesWritten;
  }
}
