import type { Readable, Writable } from "node:stream";
import zlib from "node:zlib";
import { XbuildError } from "../../errors.ts";
import { releaseBlock } from "../pack/blocks.ts";
import { isNotFound, startFilter, type Filter } from "../programs.ts";
import type { Compressor } from "./gzip.ts";

type NativeStream = (options: object) => Readable & Writable;

/** Node's own zstd, from 22.15 on; its types here are those of the oldest Node that we run on. */
const native: Partial<Record<"createZstdCompress" | "createZstdDecompress", NativeStream>> &
  object = {
  ...zlib,
};
const compressArguments = ["-q", "-c", "-3", "-T2", "--no-progress"];
// Windows of more than 128 MiB are refused, as other tools do.
const decompressArguments = ["-q", "-d", "-c", "--no-progress"];
const streamOptions = { chunkSize: 256 * 1024, highWaterMark: 1024 * 1024 };

/** Compresses with zstd, in Node or by the program. Errors: `zstd-not-found`. */
export function createZstd(write: (bytes: Buffer) => Promise<void>): Compressor {
  const filter = openZstd("compress");
  const output = copyOutput(filter, write, (message) => new Error(message));
  output.catch(() => filter.kill());
  const state: { last: Promise<void> } = { last: Promise.resolve() };
  return {
    take: (block) => {
      state.last = feed(filter, state.last, block);
      state.last.catch(() => undefined);
    },
    ready: () => Promise.race([state.last, output]),
    end: async () => {
      await state.last;
      filter.input.end();
      await output;
    },
    stop: async () => {
      filter.kill();
      await Promise.allSettled([state.last, output]);
    },
  };
}

/** Whether Node expands by itself. */
export function hasNativeZstd(): boolean {
  return native.createZstdDecompress !== undefined;
}

/** A zstd stream in one direction or the other. */
export function openZstd(direction: "compress" | "decompress"): Filter {
  const create = direction === "compress" ? native.createZstdCompress : native.createZstdDecompress;
  if (create === undefined) {
    return startFilter("zstd", direction === "compress" ? compressArguments : decompressArguments);
  }
  return asFilter(create(streamOptions));
}

/** One of Node's own streams as a filter. */
export function asFilter(stream: Readable & Writable): Filter {
  const ended = new Promise<{ failure: string | undefined }>((resolve) => {
    stream.on("error", (error) => resolve({ failure: error.message }));
    stream.on("end", () => resolve({ failure: undefined }));
    // Comes last of the three, and alone where it was stopped.
    stream.on("close", () => resolve({ failure: "it was stopped" }));
  });
  return { input: stream, output: stream, ended, kill: () => stream.destroy() };
}

/** What a filter's end says, as an error of ours. */
async function assertEnded(filter: Filter, fail: (message: string) => Error): Promise<void> {
  const { failure } = await filter.ended.catch((cause: unknown) => {
    throw explainMissing(cause);
  });
  if (failure !== undefined) throw fail(failure);
}

function explainMissing(cause: unknown): unknown {
  if (!isNotFound(cause)) return cause;
  const hint = "install zstd, use Node 22.15 or newer, or choose --compression=gzip";
  return new XbuildError(
    "zstd-not-found",
    "zstd is needed, but neither Node nor a program zstd provides it",
    {
      hint,
      cause,
    },
  );
}

/**
 * Hands on what a filter gives, to its end. Where it fails, its own message says more than the broken
 * stream does; what `onData` throws stays as it is.
 */
export async function copyOutput(
  filter: Filter,
  onData: (bytes: Buffer) => void | Promise<void>,
  fail: (message: string) => Error,
): Promise<void> {
  const iterator: AsyncIterator<Buffer> = filter.output[Symbol.asyncIterator]();
  while (true) {
    const step = await iterator.next().catch(async (error: unknown) => {
      await assertEnded(filter, fail);
      throw error;
    });
    if (step.done === true) break;
    await onData(step.value);
  }
  await assertEnded(filter, fail);
}

async function feed(filter: Filter, before: Promise<void>, block: Buffer): Promise<void> {
  await before;
  await writeInput(filter, block);
  releaseBlock(block);
}

/** Settles when the filter has taken the bytes; also where it has ended and takes no more. */
export function writeInput(filter: Filter, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    filter.input.write(bytes, () => resolve());
  });
}
