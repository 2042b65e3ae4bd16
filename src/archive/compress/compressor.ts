import type { Compression } from "../model.ts";
import { createGzip, type Compressor } from "./gzip.ts";
import { createPlain } from "./plain.ts";
import { createZstd } from "./zstd.ts";

type Write = (bytes: Buffer) => Promise<void>;

const creators: Readonly<Record<Compression, (write: Write) => Compressor>> = {
  gzip: createGzip,
  zstd: createZstd,
  none: createPlain,
};

/** Compresses blocks; the bytes go to `write`, in order and one call at a time. */
export function createCompressor(compression: Compression, write: Write): Compressor {
  return creators[compression](write);
}
