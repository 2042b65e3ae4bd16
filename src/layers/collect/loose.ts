import {
  createEntryChecker,
  openArchive,
  openFile,
  openLayer,
  openTree,
  showName,
  type ByteString,
  type Entry,
  type LayerSource,
  type OutputDirectory,
} from "../../archive/archive.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import type { LooseLayer } from "../directory/loose-layers.ts";
import type { FoundLayer } from "./found-layer.ts";
import { createPathSizes, isRest } from "./path-sizes.ts";
import type { CollectOptions } from "../model.ts";
import { collectSource, type SourceContext } from "./pack-source.ts";

export interface LooseContext extends SourceContext {
  readonly findXattrs: (layer: LooseLayer, path: ByteString) => Entry["xattrs"];
  readonly onEntry: (entry: Entry) => void;
  readonly warn: (warning: Diagnostic) => void;
  readonly findTree?: CollectOptions["findTree"];
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
  const { directory, layer, name } = job;
  const paths = isRest(name) ? createPathSizes() : undefined;
  const onEntry = (entry: Entry): void => {
    context.onEntry(entry);
    paths?.add(entry);
  };
  const source = await openSource(job, { ...context, onEntry });
  try {
    const shown = showName(directory, layer.fileName);
    const found = await collectSource(source, { name, shown }, context);
    return found.kind === "kept" || paths === undefined
      ? found
      : { ...found, largest: paths.list() };
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
  const received = context.findTree?.(layer.fileName);
  if (received !== undefined) {
    const file = openLayer({ path: received, shown: showName(directory, layer.fileName) });
    return openArchive(file, options, checking(file.shown, context));
  }
  if (layer.kind === "tree") {
    const findXattrs = (path: ByteString): Entry["xattrs"] => context.findXattrs(layer, path);
    return openTree(directory, layer.fileName, { allowDevices, findXattrs, onEntry, warn });
  }
  const file = openFile(directory, layer.fileName, layer.stats);
  return openArchive(file, options, checking(file.shown, context));
}

function checking(file: string, { options, onEntry }: LooseContext): (entry: Entry) => void {
  const { allowDevices } = options;
  const check = createEntryChecker({ file, allowDevices });
  return (entry) => {
    check(entry);
    onEntry(entry);
  };
}
