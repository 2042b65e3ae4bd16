import {
  createCompressor,
  createPackStream,
  tooLarge,
  type LayerSource,
  type PackOptions,
  type PackResult,
} from "../../archive/archive.ts";
import { annotateFingerprint, type Digest } from "../../oci/oci.ts";
import { createBlobWriter, type BlobWriter } from "../../store/store.ts";
import type { PackingOptions, Reuse } from "../model.ts";
import { layerTypes, type FoundLayer } from "./found-layer.ts";
import type { PreviousLayer, PreviousLayers } from "./previous.ts";

/** How layers are packed, and what they may prove to be. */
export interface SourceContext {
  readonly options: PackingOptions;
  readonly previous: PreviousLayers;
}

/** A layer to pack. */
export interface SourceNames {
  /** Its name in the image. */
  readonly name: string;
  /** Its name in errors. */
  readonly shown: string;
}

/** Packs a layer, or finds that it is one of the previous image's. Errors: `layer-...`, `output-changed`. */
export async function collectSource(
  source: LayerSource,
  names: SourceNames,
  context: SourceContext,
): Promise<FoundLayer> {
  return (await compareFirst(source, names, context)) ?? (await packNew(source, names, context));
}

/** Where the previous image has a layer of that name: hashing alone is far cheaper than compressing. */
async function compareFirst(
  source: LayerSource,
  names: SourceNames,
  context: SourceContext,
): Promise<FoundLayer | undefined> {
  const named = context.previous.byName.get(names.name);
  if (named === undefined) return undefined;
  const contentOnly = chooseReuse(context.options) === "content";
  if (contentOnly && named.fingerprint === undefined) return undefined;
  const stream = createPackStream({ ...packOptions(names, context.options), contentOnly });
  await source.pack(stream);
  return findEqual(await stream.end(), names.name, context);
}

function packOptions({ shown }: SourceNames, options: PackingOptions): PackOptions {
  return {
    shown,
    epoch: options.epoch,
    maxSize: options.maxLayerSize,
    signal: options.signal,
    onBytes: options.onProgress && ((bytes) => options.onProgress?.({ bytes })),
  };
}

async function packNew(
  source: LayerSource,
  names: SourceNames,
  context: SourceContext,
): Promise<FoundLayer> {
  const { compression, staging } = context.options;
  const pack = packOptions(names, context.options);
  const writer = createBlobWriter(staging);
  const compressor = createCompressor(compression, limitWrite(writer, pack));
  try {
    const stream = createPackStream(pack, compressor);
    await source.pack(stream);
    const result = await stream.end();
    const equal = findEqual(result, names.name, context);
    if (equal !== undefined) return equal;
    await compressor.end();
    const blob = await writer.finish();
    const { digest, size } = blob;
    const annotations = annotateFingerprint(result.fingerprint);
    const descriptor = { mediaType: layerTypes[compression], digest, size, annotations };
    return { kind: "new", descriptor, diffId: needDiffId(result), blob };
  } finally {
    await compressor.stop();
    writer.discard();
  }
}

/** What cannot be compressed is larger as a blob than as an archive. */
function limitWrite({ write }: BlobWriter, { shown, maxSize }: PackOptions): BlobWriter["write"] {
  let size = 0;
  return async (bytes) => {
    size += bytes.length;
    if (size > maxSize) throw tooLarge(shown, maxSize);
    await write(bytes);
  };
}

function needDiffId({ diffId }: PackResult): Digest {
  if (diffId === undefined) throw new Error("a layer was packed without its diff ID");
  return diffId;
}

/** Content, unless times are said to matter. */
export function chooseReuse(options: Pick<PackingOptions, "reuse" | "epoch">): Reuse {
  return options.reuse ?? (options.epoch === undefined ? "content" : "exact");
}

function findEqual(
  { diffId, fingerprint }: PackResult,
  name: string,
  { options, previous }: SourceContext,
): FoundLayer | undefined {
  const named = previous.byName.get(name);
  const isContent = chooseReuse(options) === "content";
  const isEqual = (layer: PreviousLayer): boolean =>
    layer.diffId === diffId ||
    (diffId !== undefined && layer.canonical === diffId) ||
    (isContent && layer.fingerprint === fingerprint);
  if (named !== undefined && isEqual(named)) return { kind: "equal", layer: named };
  const other =
    (diffId === undefined ? undefined : previous.byDiffId.get(diffId)) ??
    (isContent ? previous.byFingerprint.get(fingerprint) : undefined);
  return other === undefined ? undefined : { kind: "equal", layer: other };
}
