import { createGunzip } from "node:zlib";
import type { Compression } from "../model.ts";
import { refuse } from "../refuse.ts";
import type { Filter } from "../programs.ts";
import { createFrameScanner, frameStart, type FramePart } from "./zstd-frames.ts";
import { asFilter, copyOutput, hasNativeZstd, openZstd, writeInput } from "./zstd.ts";

/** A stream of compressed bytes that is being expanded. */
export interface Expander {
  /** Settles when the bytes have been taken; they may then be used again. */
  readonly write: (bytes: Buffer) => Promise<void>;
  /** Settles when everything has been expanded and was found whole. */
  readonly end: () => Promise<void>;
  /** Settles when nothing of it runs any more, whatever happened. */
  readonly stop: () => Promise<void>;
}

export type OnData = (bytes: Buffer) => void | Promise<void>;

const gunzipOptions = { chunkSize: 256 * 1024, highWaterMark: 1024 * 1024 };
const hint =
  "let the program that writes it finish before the step ends, and check its exit status";

/** How a blob is compressed, by its first bytes. RFC 1952; RFC 8878 (a skippable frame may come first). */
export function detectCompression(start: Buffer): Compression {
  if (start[0] === 0x1f && start[1] === 0x8b) return "gzip";
  const magic = start.length < 4 ? 0 : start.readUInt32LE(0);
  return magic === 0xfd2fb528 || (magic & 0xfffffff0) >>> 0 === 0x184d2a50 ? "zstd" : "none";
}

/**
 * Expands a blob; `onData` gets what comes out, in order. Several gzip members or zstd frames are one
 * stream. Errors: `layer-compression-broken`, `layer-compression-trailing-data`, `zstd-not-found`, and
 * those of `onData`.
 */
export function createExpander(compression: Compression, shown: string, onData: OnData): Expander {
  if (compression === "none") {
    return {
      write: async (bytes) => onData(bytes),
      end: () => Promise.resolve(),
      stop: () => Promise.resolve(),
    };
  }
  return compression === "gzip" ? expandGzip(shown, onData) : expandZstd(shown, onData);
}

function expandGzip(shown: string, onData: OnData): Expander {
  const gunzip = createGunzip(gunzipOptions);
  let given = 0;
  const expander = expand(asFilter(gunzip), onData, (message) => broken(shown, message));
  return {
    ...expander,
    write: (bytes) => {
      given += bytes.length;
      return expander.write(bytes);
    },
    end: async () => {
      await expander.end();
      // zlib stops without a word where zeros stand behind the last member; other readers fail there.
      if (gunzip.bytesWritten === given) return;
      const message = `${given - gunzip.bytesWritten} bytes follow the end of the gzip stream`;
      throw refuse("layer-compression-trailing-data", message, {
        file: shown,
        hint: "write nothing after the gzip stream",
      });
    },
  };
}

function expandZstd(shown: string, onData: OnData): Expander {
  const fail = (message: string): Error => broken(shown, message);
  if (hasNativeZstd())
    return expandFrames(fail, () => expand(openZstd("decompress"), onData, fail));
  return expand(openZstd("decompress"), onData, fail);
}

/** Frame by frame, for Node's own decompressor takes no more than one. */
function expandFrames(fail: (message: string) => Error, open: () => Expander): Expander {
  const scanner = createFrameScanner();
  let frame: Expander | undefined;
  const takePart = async (bytes: Buffer, { isLast }: FramePart): Promise<void> => {
    if (frame === undefined) {
      frame = open();
      await frame.write(frameStart);
    }
    await frame.write(bytes);
    if (!isLast) return;
    await frame.end();
    frame = undefined;
  };
  return {
    write: async (bytes) => {
      for (const part of scanFrames(scanner.scan, bytes, fail)) {
        await takePart(bytes.subarray(part.start, part.end), part);
      }
    },
    end: () =>
      scanner.isComplete() ? Promise.resolve() : Promise.reject(fail("it ends too early")),
    stop: async () => {
      await frame?.stop();
    },
  };
}

function scanFrames(
  scan: (chunk: Buffer) => readonly FramePart[],
  bytes: Buffer,
  fail: (message: string) => Error,
): readonly FramePart[] {
  try {
    return scan(bytes);
  } catch (error) {
    throw error instanceof Error ? fail(error.message) : error;
  }
}

function broken(shown: string, message: string): Error {
  return refuse("layer-compression-broken", `it cannot be decompressed: ${message}`, {
    file: shown,
    hint,
  });
}

function expand(filter: Filter, onData: OnData, fail: (message: string) => Error): Expander {
  const output = copyOutput(filter, onData, fail);
  output.catch(() => filter.kill());
  return {
    // A filter that has failed takes nothing any more: then its error is the answer.
    write: (bytes) => Promise.race([writeInput(filter, bytes), output]),
    end: async () => {
      filter.input.end();
      await output;
    },
    stop: async () => {
      filter.kill();
      await Promise.allSettled([output]);
    },
  };
}
