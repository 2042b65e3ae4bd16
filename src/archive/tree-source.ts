import type { Diagnostic } from "../diagnostics.ts";
import type { LayerSource } from "./archive-source.ts";
import { packTree } from "./pack/pack-tree.ts";
import { closeDirectory, openDirectory, type OutputDirectory } from "./read/directory.ts";
import { createTreeChecker } from "./tar/check.ts";
import type { ByteString, Entry } from "./tar/entry.ts";
import { normalizeXattrs } from "./tar/xattrs.ts";

export interface TreeSourceOptions {
  readonly allowDevices: boolean;
  readonly findXattrs: (path: ByteString) => Entry["xattrs"];
  readonly onEntry: (entry: Entry) => void;
  readonly warn: (warning: Diagnostic) => void;
}

/** A tree of `output/layers`; each packing walks it anew. */
export function openTree(
  parent: OutputDirectory,
  fileName: ByteString,
  options: TreeSourceOptions,
): LayerSource {
  const root = openDirectory(parent, fileName);
  // To an ordinary user's eyes the root of a container of their own is they themselves.
  const roots = [0, process.geteuid?.() ?? 0];
  let isFirst = true;
  return {
    pack: async (stream) => {
      const isRepeated = !isFirst;
      isFirst = false;
      const check = createTreeChecker({ file: root.shown, allowDevices: options.allowDevices });
      await packTree(root, stream, {
        check: (entry) => {
          check(entry);
          if (!isRepeated) options.onEntry(entry);
        },
        findXattrs: (path) => normalizeXattrs(options.findXattrs(path), roots),
        onSocket: (shown) => {
          if (!isRepeated) options.warn(warnSocket(shown));
        },
      });
    },
    close: () => closeDirectory(root),
  };
}

function warnSocket(file: string): Diagnostic {
  const hint = "remove it before the step ends";
  const message = "a socket is left out, because an archive cannot hold one";
  return { code: "layer-socket", severity: "warning", message, hint, file };
}
