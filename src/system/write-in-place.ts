import { constants, fstatSync, write } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { systemCode } from "./errno.ts";
import { descriptorPath } from "./linux.ts";
import type { Target } from "./target.ts";

/** What is written to where it stands. */
export type SpecialTarget = Exclude<Target, { readonly kind: "file" }>;

/** Bytes in pieces of any size. */
export type Content = Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface WaitOptions {
  /** Ends the waiting for a reader: then the signal's reason is thrown. */
  readonly signal?: AbortSignal | undefined;
  /** Told once, after two seconds, that nobody reads. */
  readonly onWait?: (() => void) | undefined;
}

/** Milliseconds. */
const pause = 20;
const silence = 2000;

/**
 * Writes to a device, a FIFO or an open file of this process, where it stands. Who reads a FIFO is waited for;
 * no thread is ever stuck in it, so that a signal is heard. Errors: those of open(2) and write(2).
 */
export async function writeInPlace(
  target: SpecialTarget,
  content: Content,
  options: WaitOptions = {},
): Promise<void> {
  const wait = createWait(options);
  if (target.kind === "special") {
    return useFile(await openSpecial(target.path, wait), ({ fd }) => writeAll(fd, content, wait));
  }
  await flush(target.fd);
  const own = await reopen(target.fd);
  if (own === undefined) return writeAll(target.fd, content, wait);
  return useFile(own, ({ fd }) => writeAll(fd, content, wait));
}

type Wait = () => Promise<void>;

function createWait({ signal, onWait }: WaitOptions): Wait {
  let waited = 0;
  return async () => {
    signal?.throwIfAborted();
    await sleep(pause);
    waited += pause;
    if (waited === silence) onWait?.();
    signal?.throwIfAborted();
  };
}

const specialFlags =
  constants.O_WRONLY | constants.O_NOCTTY | constants.O_NONBLOCK | constants.O_NOFOLLOW;

async function openSpecial(path: string, wait: Wait): Promise<FileHandle> {
  for (;;) {
    try {
      return await assertSpecial(await open(path, specialFlags), path);
    } catch (error) {
      // So says a FIFO that nobody reads.
      if (systemCode(error) !== "ENXIO") throw error;
    }
    await wait();
  }
}

/** Somebody may have put a file there since it was looked at. */
async function assertSpecial(file: FileHandle, path: string): Promise<FileHandle> {
  if (!fstatSync(file.fd).isFile()) return file;
  await file.close();
  throw Object.assign(new Error(`${path} has become a file`), { code: "EEXIST" });
}

async function useFile(
  file: FileHandle,
  action: (file: FileHandle) => Promise<void>,
): Promise<void> {
  try {
    await action(file);
  } finally {
    await file.close();
  }
}

/**
 * The same pipe or terminal opened anew, so that it never blocks us and the user's own stays as it is. A file
 * has a position that is shared with whoever opened it, and a socket cannot be opened: they are left.
 */
async function reopen(fd: number): Promise<FileHandle | undefined> {
  const status = fstatSync(fd);
  if (!status.isFIFO() && !status.isCharacterDevice()) return undefined;
  try {
    return await open(descriptorPath(fd), specialFlags & ~constants.O_NOFOLLOW);
  } catch (error) {
    // It may be another user's (su), or have no reader any more, or there is no /proc.
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/** What has been said before comes before it. */
async function flush(fd: number): Promise<void> {
  const streams: ReadonlyMap<number, NodeJS.WritableStream> = new Map<
    number,
    NodeJS.WritableStream
  >([
    [1, process.stdout],
    [2, process.stderr],
  ]);
  const stream = streams.get(fd);
  if (stream !== undefined) await new Promise<void>((done) => stream.write("", () => done()));
}

async function writeAll(fd: number, content: Content, wait: Wait): Promise<void> {
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length;) {
      const count = await writeSome(fd, chunk.subarray(at));
      if (count === 0) await wait();
      at += count;
    }
  }
}

const writeBytes = promisify(write);

/** How many bytes were taken: none where a pipe is full. */
async function writeSome(fd: number, bytes: Uint8Array): Promise<number> {
  try {
    return (await writeBytes(fd, bytes)).bytesWritten;
  } catch (error) {
    if (systemCode(error) === "EAGAIN") return 0;
    throw error;
  }
}
