import { close, constants, fstatSync, open } from "node:fs";
import { Socket } from "node:net";
import { addAbortSignal, type Readable } from "node:stream";
import { createReadStream } from "node:fs";
import { promisify } from "node:util";

/** What a user writes by hand is shorter; a device would never end. In bytes. */
const longest = 64 * 1024 * 1024;

/**
 * Reads a file that a user names, which may be a pipe (`<(program)`) or a FIFO that nobody has opened for writing
 * yet: no thread is ever stuck in it, so that a signal is heard. Errors: those of the system (EISDIR for a
 * directory, EFBIG for more than 64 MiB), the signal's reason.
 */
export async function readInput(path: string, signal?: AbortSignal): Promise<Buffer> {
  const fd = await promisify(open)(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return readWhole(openStream(fd, path), path, signal);
}

/** Standard input, to its end. Errors: as above. */
export function readStandardInput(signal?: AbortSignal): Promise<Buffer> {
  return readWhole(process.stdin, "standard input", signal);
}

/** The stream closes the descriptor. */
function openStream(fd: number, path: string): Readable {
  const status = fstatSync(fd);
  if (status.isFIFO()) return new Socket({ fd, readable: true, writable: false });
  if (!status.isCharacterDevice()) return createReadStream("", { fd });
  // A terminal says that there is nothing yet where it is opened so.
  close(fd);
  return createReadStream(path);
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
    if (size > longest) throw Object.assign(new Error(`${path} is too large`), { code: "EFBIG" });
  }
  return Buffer.concat(chunks);
}
