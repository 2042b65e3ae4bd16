import { write, writeSync } from "node:fs";
import { promisify } from "node:util";

const writeFile = promisify(write);

/** Writes all of these bytes at this place of a file. Errors: those of pwrite(2). */
export async function writeWhole(fd: number, bytes: Uint8Array, position: number): Promise<void> {
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
