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
import type { LooseLayer } from "../directory/output-scan.ts";
import type { CollectOptions, Reuse } from "../model.ts";
import { layerTypes } from "./found.ts";
import type { FoundLayer } from "./found.ts";
import type { PreviousLayer, PreviousLayers } from "./previous.ts";

export interface LooseContext {
  readonly options: CollectOptions;
  readonly previous: PreviousLayers;
  readonly findXattrs: (layer: LooseLayer, path: ByteString) => Entry["xattrs"];
  readonly onEntry: (entry: Entry) => void;
  readonly warn: (warning: Diagnostic) => void;
}

/**
 * Packs a loose layer, or finds that it is one of the previous image's. `name` is the layer's name.
 * Errors: `layer-...`, `output-...`.
 */
export async function collectLoose(
  directory: OutputDirectory,
  layer: LooseLayer,
  name: string,
  context: LooseContext,
): Promise<FoundLayer> {
  const source = await openSource(directory, layer, context);
  try {
    const pack = packOptions(directory, layer, context.options);
    const equal = await compareFirst(source, name, pack, context);
    return equal ?? (await packNew(source, name, pack, context));
  } finally {
    source.close();
  }
}

function openSource(
  directory: OutputDirectory,
  layer: LooseLayer,
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

function packOptions(
  directory: OutputDirectory,
  layer: LooseLayer,
  options: CollectOptions,
): PackOptions {
  return {
    shown: showName(directory, layer.fileName),
    epoch: options.epoch,
    maxSize: options.maxLayerSize,
    signal: options.signal,
  };
}

/** Where the previous image has a layer of that name: hashing alone is far cheaper than compressing. */
async function compareFirst(
  source: LayerSource,
  name: string,
  pack: PackOptions,
  context: LooseContext,
): Promise<FoundLayer | undefined> {
  const named = context.previous.byName.get(name);
  if (named === undefined) return undefined;
  const contentOnly = reuseOf(context.options) === "content";
  if (contentOnly && named.fingerprint === undefined) return undefined;
  const stream = createPackStream({ ...pack, contentOnly });
  await source.pack(stream);
  return findEqual(await stream.end(), name, context);
}

async function packNew(
  source: LayerSource,
  name: string,
  pack: PackOptions,
  context: LooseContext,
): Promise<FoundLayer> {
  const { compression, staging } = context.options;
  const writer = createBlobWriter(staging);
  const compressor = createCompressor(compression, limitWrite(writer, pack));
  try {
    const stream = createPackStream(pack, compressor);
    await source.pack(stream);
    const result = await stream.end();
    const equal = findEqual(result, name, context);
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
function reuseOf(options: CollectOptions): Reuse {
  return options.reuse ?? (options.epoch === undefined ? "content" : "exact");
}

function findEqual(
  { diffId, fingerprint }: PackResult,
  name: string,
  { options, previous }: LooseContext,
): FoundLayer | undefined {
  const named = previous.byName.get(name);
  const isContent = reuseOf(options) === "content";
  const isEqual = (layer: PreviousLayer): boolean =>
    layer.diffId === diffId || (isContent && layer.fingerprint === fingerprint);
  if (named !== undefined && isEqual(named)) return { kind: "equal", layer: named };
  const other =
    (diffId === undefined ? undefined : previous.byDiffId.get(diffId)) ??
    (isContent ? previous.byFingerprint.get(fingerprint) : undefined);
  return other === undefined ? undefined : { kind: "equal", layer: other };
}
