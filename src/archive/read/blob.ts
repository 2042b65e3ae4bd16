import { read } from "node:fs";
import { promisify } from "node:util";
import { assertUnchanged, type OutputFile } from "./directory.ts";
import { changed } from "./problems.ts";

const readFile = promisify(read);
const chunkSize = 1024 * 1024;

/**
 * Reads a file once from its beginning to the end that it had when it was opened, a chunk ahead of `take`.
 * A chunk may be used until the promise of `take` settles. Errors: `output-changed`, those of `take`.
 */
export async function readChunks(
  file: OutputFile,
  take: (chunk: Buffer) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const size = file.stats.size;
  const buffers = [createChunk(size), createChunk(size)] as const;
  let at = 0;
  let next = readChunk(file, buffers[0], at);
  for (let turn = 0; at < size; turn++) {
    signal?.throwIfAborted();
    const chunk = await next;
    at += chunk.length;
    next = readChunk(file, turn % 2 === 0 ? buffers[1] : buffers[0], at);
    next.catch(() => undefined);
    try {
      await take(chunk);
    } finally {
      // It must not outlive a failure: the caller closes the file.
      await Promise.allSettled([next]);
    }
  }
  assertUnchanged(file);
}

/** The first bytes of a file, to tell what it is. */
export async function readStart(file: OutputFile, length: number): Promise<Buffer> {
  const { bytesRead, buffer } = await readFile(file.fd, Buffer.alloc(length), 0, length, 0);
  return buffer.subarray(0, bytesRead);
}

function createChunk(size: number): Buffer {
  return Buffer.allocUnsafeSlow(Math.min(size, chunkSize));
}

async function readChunk(file: OutputFile, buffer: Buffer, at: number): Promise<Buffer> {
  const wanted = Math.min(buffer.length, file.stats.size - at);
  if (wanted <= 0) return buffer.subarray(0, 0);
  const { bytesRead } = await readFile(file.fd, buffer, 0, wanted, at);
  if (bytesRead === 0) throw changed(file.shown);
  return buffer.subarray(0, bytesRead);
}
