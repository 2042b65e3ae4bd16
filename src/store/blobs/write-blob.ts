import { createHash } from "node:crypto";
import { closeSync, fchmodSync, fsync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Digest } from "../../oci/oci.ts";
import { writeWhole } from "../../system/write-whole.ts";
import { blobMode } from "../layout/files.ts";

const syncFile = promisify(fsync);

/** A blob that is whole and durable, in the store's `tmp/`: one rename puts it among the blobs. */
export interface StagedBlob {
  readonly digest: Digest;
  /** Bytes. */
  readonly size: number;
  /** A file that nothing has open for writing. */
  readonly path: string;
}

/** A blob that is being written. */
export interface BlobWriter {
  /** Takes the next bytes; they may be used again once the promise is settled. */
  readonly write: (bytes: Uint8Array) => Promise<void>;
  /** Of all that was written: nothing may be written after it. */
  readonly digest: () => Digest;
  /** Makes it durable. */
  readonly finish: () => Promise<StagedBlob>;
  /** Removes what was written; harmless after `finish`. */
  readonly discard: () => void;
}

let count = 0;

/**
 * Writes a new blob and hashes it meanwhile: one file, one fsync; `commitImage` then renames it once.
 * Errors: those of open(2), write(2) and fsync(2).
 * @param staging `Run.staging`
 */
export function createBlobWriter(staging: string): BlobWriter {
  count += 1;
  const path = join(staging, `blob-${process.pid}-${count}`);
  const file = { fd: openSync(path, "wx", blobMode), size: 0 };
  const hash = createHash("sha256");
  let digest: Digest | undefined;
  const identify = (): Digest => (digest ??= `sha256:${hash.digest("hex")}`);
  return {
    write: async (bytes) => {
      const at = file.size;
      file.size += bytes.length;
      const written = writeWhole(file.fd, bytes, at);
      hash.update(bytes);
      await written;
    },
    digest: identify,
    finish: async () => {
      // Later builds may read it as any user of their container, whatever our umask.
      fchmodSync(file.fd, blobMode);
      await syncFile(file.fd);
      closeSync(file.fd);
      file.fd = -1;
      return { digest: identify(), size: file.size, path };
    },
    discard: () => {
      if (file.fd === -1) return;
      closeSync(file.fd);
      file.fd = -1;
      rmSync(path, { force: true });
    },
  };
}

/** The same for a blob that is in memory: a config, a manifest. */
export async function writeBlob(staging: string, bytes: Uint8Array): Promise<StagedBlob> {
  const writer = createBlobWriter(staging);
  try {
    await writer.write(bytes);
    return await writer.finish();
  } finally {
    writer.discard();
  }
}
