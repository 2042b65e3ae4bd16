import { closeSync, constants, createReadStream, fstatSync, openSync, readFileSync } from "node:fs";
import { addAbortSignal, type Readable } from "node:stream";

/** What a user writes by hand is shorter; a device would never end. In bytes. */
const longest = 64 * 1024 * 1024;

/**
 * Reads a file that a user names, which may be a pipe (`<(program)`) or a FIFO that nobody has opened for writing
 * yet: no thread is ever stuck in it, so that a signal is heard. Errors: those of the system (EISDIR for a
 * directory, EFBIG for more than 64 MiB), the signal's reason.
 */
export async function readInput(path: string, signal?: AbortSignal): Promise<Buffer> {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const status = fstatSync(fd);
  if (status.isFIFO()) {
    const { Socket } = await import("node:net");
    // The stream closes the descriptor.
    return readWhole(new Socket({ fd, readable: true, writable: false }), path, signal);
  }
  try {
    if (status.isFile() && status.size > longest) throw tooLarge(path);
    if (!status.isCharacterDevice()) return readFileSync(fd);
  } finally {
    closeSync(fd);
  }
  // A terminal that is opened without waiting says that there is nothing yet.
  return readWhole(createReadStream(path), path, signal);
}

/** Standard input, to its end. Errors: as above. */
export function readStandardInput(signal?: AbortSignal): Promise<Buffer> {
  return readWhole(process.stdin, "standard input", signal);
}

async function readWhole(
  stream: Readable,
  path: string,
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  if (signal !== undefined) addAbortSignal(signal, stream);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    chunks.push(Buffer.from(chunk));
    size += chunk.length;
    if (size > longest) throw tooLarge(path);
  }
  return Buffer.concat(chunks);
}

function tooLarge(path: string): Error {
  return Object.assign(new Error(`${path} is too large`), { code: "EFBIG" });
}
