import {
  createCompressor,
  createEntryChecker,
  createPackStream,
  openArchive,
  openFile,
  openTree,
  showName,
  tooLarge,
  type ByteString,
  type Entry,
  type LayerSource,
  type OutputDirectory,
  type PackOptions,
  type PackResult,
} from "../../archive/archive.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import { annotateFingerprint, type Digest } from "../../oci/oci.ts";
import { createBlobWriter, type BlobWriter } from "../../store/store.ts";
import type { LooseLayer } from "../directory/loose-layers.ts";
import type { CollectOptions, Reuse } from "../model.ts";
import { layerTypes, type FoundLayer } from "./found-layer.ts";
import type { PreviousLayer, PreviousLayers } from "./previous.ts";

export interface LooseContext {
  readonly options: CollectOptions;
  readonly previous: PreviousLayers;
  readonly findXattrs: (layer: LooseLayer, path: ByteString) => Entry["xattrs"];
  readonly onEntry: (entry: Entry) => void;
  readonly warn: (warning: Diagnostic) => void;
}

/** A loose layer to pack. */
export interface LooseJob {
  /** Where it lies. */
  readonly directory: OutputDirectory;
  readonly layer: LooseLayer;
  /** The layer's name in the image. */
  readonly name: string;
}

/**
 * Packs a loose layer, or finds that it is one of the previous image's. Errors: `layer-...`, `output-...`.
 */
export async function collectLoose(job: LooseJob, context: LooseContext): Promise<FoundLayer> {
  const source = await openSource(job, context);
  try {
    return (await compareFirst(source, job, context)) ?? (await packNew(source, job, context));
  } finally {
    source.close();
  }
}

function openSource(
  { directory, layer }: LooseJob,
  context: LooseContext,
): Promise<LayerSource> | LayerSource {
  const { options, onEntry, warn } = context;
  const { allowDevices } = options;
  if (layer.kind === "tree") {
    const findXattrs = (path: ByteString): Entry["xattrs"] => context.findXattrs(layer, path);
    return openTree(directory, layer.fileName, { allowDevices, findXattrs, onEntry, warn });
  }
  const file = openFile(directory, layer.fileName, layer.stats);
  const check = createEntryChecker({ file: file.shown, allowDevices });
  return openArchive(file, options, (entry) => {
    check(entry);
    onEntry(entry);
  });
}

/** Where the previous image has a layer of that name: hashing alone is far cheaper than compressing. */
async function compareFirst(
  source: LayerSource,
  job: LooseJob,
  context: LooseContext,
): Promise<FoundLayer | undefined> {
  const named = context.previous.byName.get(job.name);
  if (named === undefined) return undefined;
  const contentOnly = chooseReuse(context.options) === "content";
  if (contentOnly && named.fingerprint === undefined) return undefined;
  const stream = createPackStream({ ...packOptions(job, context.options), contentOnly });
  await source.pack(stream);
  return findEqual(await stream.end(), job.name, context);
}

function packOptions({ directory, layer }: LooseJob, options: CollectOptions): PackOptions {
  return {
    shown: showName(directory, layer.fileName),
    epoch: options.epoch,
    maxSize: options.maxLayerSize,
    signal: options.signal,
  };
}

async function packNew(
  source: LayerSource,
  job: LooseJob,
  context: LooseContext,
): Promise<FoundLayer> {
  const { compression, staging } = context.options;
  const pack = packOptions(job, context.options);
  const writer = createBlobWriter(staging);
  const compressor = createCompressor(compression, limitWrite(writer, pack));
  try {
    const stream = createPackStream(pack, compressor);
    await source.pack(stream);
    const result = await stream.end();
    const equal = findEqual(result, job.name, context);
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
function chooseReuse(options: CollectOptions): Reuse {
  return options.reuse ?? (options.epoch === undefined ? "content" : "exact");
}

function findEqual(
  { diffId, fingerprint }: PackResult,
  name: string,
  { options, previous }: LooseContext,
): FoundLayer | undefined {
  const named = previous.byName.get(name);
  const isContent = chooseReuse(options) === "content";
  const isEqual = (layer: PreviousLayer): boolean =>
    layer.diffId === diffId || (isContent && layer.fingerprint === fingerprint);
  if (named !== undefined && isEqual(named)) return { kind: "equal", layer: named };
  const other =
    (diffId === undefined ? undefined : previous.byDiffId.get(diffId)) ??
    (isContent ? previous.byFingerprint.get(fingerprint) : undefined);
  return other === undefined ? undefined : { kind: "equal", layer: other };
}
