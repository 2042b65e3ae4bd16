import { type LayerFile, readLayerFile } from "../read/layer-file.ts";
import type { ArchivedEntry, ByteString } from "../tar/entry.ts";
import { type Name, readName } from "./names.ts";
import { describeState, type PathState } from "./state.ts";

/** What an entry of a layer does. */
export type Meaning =
  | Exclude<Name, { readonly kind: "entry" }>
  | { readonly kind: "entry"; readonly path: ByteString; readonly state: PathState };

/** Takes what a layer's entries mean. */
export interface MeaningSink {
  readonly take: (meaning: Meaning) => void;
  /** What the layer has at that path so far, no directory: a hard link names a file of its own layer, and is that file. */
  readonly findFile: (path: ByteString) => PathState | undefined;
}

/** Reads what each entry of a layer means, in the order of the archive. Errors: as `readLayerFile`. */
export async function readMeanings(
  layer: LayerFile,
  sink: MeaningSink,
  signal?: AbortSignal,
): Promise<void> {
  const take = (entry: ArchivedEntry, content: string): void => {
    const name = readName(entry.path);
    if (name.kind !== "entry") return sink.take(name);
    const linked = entry.type === "hard-link" ? sink.findFile(entry.link) : undefined;
    return sink.take({ ...name, state: linked ?? describeState(entry, content) });
  };
  await readLayerFile(layer, take, signal);
}
