import type { Diagnostic } from "../../diagnostics.ts";
import { limitText, quoteText } from "../../text.ts";
import { showBytes, type ByteString, type Entry } from "../../archive/archive.ts";

/** Mode and owner of the directories that each layer of a build carries. */
export interface DirectoryLog {
  /** What is to be told the entries of a layer, for which `layer` stands. */
  readonly recorder: (layer: unknown) => (entry: Entry) => void;
  /** A warning for each layer that changes directories of one below; the layers lowest first. */
  readonly compare: (
    layers: readonly { readonly layer: unknown; readonly name: string }[],
  ) => readonly Diagnostic[];
}

/** More are not looked at, so that memory stays bounded. */
const maxDirectories = 200_000;
const maxShown = 3;

/**
 * Whether layers of one build disagree about a directory. Layers that are kept unread are not looked at.
 */
export function createDirectoryLog(): DirectoryLog {
  const layers = new Map<unknown, Map<ByteString, string>>();
  let count = 0;
  return {
    recorder: (layer) => (entry) => {
      if (entry.type !== "directory" || count >= maxDirectories) return;
      count += 1;
      const known = layers.get(layer) ?? new Map<ByteString, string>();
      layers.set(layer, known);
      known.set(entry.path, `mode ${entry.mode.toString(8)}, owner ${entry.uid}:${entry.gid}`);
    },
    compare: (order) => {
      const below = new Map<ByteString, { readonly says: string; readonly name: string }>();
      return order.flatMap(({ layer, name }) => compareLayer(layers.get(layer), name, below));
    },
  };
}

function compareLayer(
  directories: ReadonlyMap<ByteString, string> | undefined,
  name: string,
  below: Map<ByteString, { readonly says: string; readonly name: string }>,
): readonly Diagnostic[] {
  const changes: string[] = [];
  let count = 0;
  for (const [path, says] of directories ?? []) {
    const before = below.get(path);
    if (before !== undefined && before.says !== says) {
      count += 1;
      if (count <= maxShown) {
        const where = `${before.says} in ${limitText(before.name, 100)}`;
        changes.push(`/${showBytes(path)} (${where}; now ${says})`);
      }
    }
    below.set(path, { says, name });
  }
  return count === 0 ? [] : [warnChange(name, changes, count)];
}

function warnChange(name: string, changes: readonly string[], count: number): Diagnostic {
  const shown = changes.join(", ");
  const more = count > maxShown ? `, and ${count - maxShown} more` : "";
  return {
    code: "layer-directory-changed",
    severity: "warning",
    message: `the layer ${quoteText(name)} changes directories of a layer below it: ${shown}${more}`,
    hint: "give the directories in a tree the mode and owner that they have in the image",
  };
}
