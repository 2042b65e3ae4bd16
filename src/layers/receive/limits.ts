import { type ByteString, refuse, showBytes, tooLarge } from "../../archive/archive.ts";

/**
 * What may come. All that is refused for it here would be later, when the layers are collected; but by then it would have
 * filled this machine's disk.
 */
export interface ReceiveLimits {
  /** Bytes that hard links may have copied: a few words of an archive may ask for the same bytes again and again. */
  readonly maxCopied: number;
  /** Directories of `output/layers`: each is a layer. */
  readonly maxLayers: number;
  /** Bytes of the files of one of them, or of an archive that stands there: those of the layer's archive are more. */
  readonly maxLayerSize: number;
}

export const usualLimits: ReceiveLimits = {
  maxCopied: 16 * 1024 ** 3,
  maxLayers: 127,
  maxLayerSize: 10 * 1024 ** 3,
};

/**
 * How many layers of the greatest size all that comes may have: some may be large, but an image of which each is would be a
 * thousand times as large as images are.
 */
const largeLayers = 10;
/** Directories that are none of a layer's (a state of more than 20,000 files is refused), and those that belong nowhere. */
const maxDirectories = 30_000;
const maxAside = 1000;

/** Counts what comes. */
export interface ReceiveCount {
  /** A directory of `output/layers` begins. Errors: `layers-too-many`. */
  readonly addLayer: () => void;
  /** Errors: `layer-too-many-entries`. */
  readonly addAside: () => void;
  /** Errors: `layer-too-many-entries`. */
  readonly addDirectory: () => void;
  /** Errors: `layer-too-large`. @param size of a layer so far, `path` being its place in the output */
  readonly checkLayer: (path: ByteString, size: number) => void;
}

export function createCount({ maxLayers, maxLayerSize }: ReceiveLimits): ReceiveCount {
  let layers = 0;
  let aside = 0;
  let directories = 0;
  return {
    addLayer: () => {
      layers += 1;
      if (layers <= maxLayers) return;
      const message = `it has more than ${maxLayers} directories, each of which is a layer`;
      const hint = "join layers, or raise --max-layers";
      throw refuse("layers-too-many", message, { file: "output/layers", hint });
    },
    addAside: () => {
      aside += 1;
      if (aside > maxAside) throw tooMany(`${maxAside} directories that belong nowhere`);
    },
    addDirectory: () => {
      directories += 1;
      if (directories > maxDirectories)
        throw tooMany(`${maxDirectories} directories beside those of layers`);
    },
    checkLayer: (path, size) => {
      if (size > maxLayerSize) throw tooLarge(`output/${showBytes(path)}`, maxLayerSize);
    },
  };
}

function tooMany(what: string): Error {
  const hint = "leave out of the output what is not needed";
  return refuse("layer-too-many-entries", `there are more than ${what}`, { file: "output", hint });
}

/** An archive's bytes, until they are too many, whatever they are. Errors: `layer-too-large`. */
export async function* limitBytes(
  archive: AsyncIterable<Uint8Array>,
  { maxLayerSize }: ReceiveLimits,
): AsyncGenerator<Uint8Array> {
  const most = largeLayers * maxLayerSize;
  let size = 0;
  for await (const bytes of archive) {
    size += bytes.length;
    if (size > most) {
      const message = `more than ${most} bytes came, ${largeLayers} times what a layer may have`;
      const hint = "leave out of the output what is not needed, or raise --max-layer-size";
      throw refuse("layer-too-large", message, { file: "output", hint });
    }
    yield bytes;
  }
}
