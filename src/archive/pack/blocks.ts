/** Bytes that are compressed at once. Part of the format: other sizes give other compressed bytes. */
const packBlockSize = 1024 * 1024;

/** Blocks that are kept for the next use; allocating them anew costs more than filling them. */
const maxFree = 8;
const free: Buffer[] = [];

/** A block of `packBlockSize` bytes, its content undefined; other threads can read it where it is. */
export function createBlock(): Buffer {
  return free.pop() ?? Buffer.from(new SharedArrayBuffer(packBlockSize));
}

/** Gives a block (or its beginning) back; the caller no longer uses it. */
export function releaseBlock(block: Buffer): void {
  if (
    free.length < maxFree &&
    block.byteOffset === 0 &&
    block.buffer.byteLength === packBlockSize
  ) {
    free.push(Buffer.from(block.buffer, 0, packBlockSize));
  }
}
