import type { ByteString } from "../tar/entry.ts";
import type { LayerPaths } from "./layer-paths.ts";
import type { PathState } from "./state.ts";

/** What a layer says of paths, as bytes: fields that end with a NUL, which no path has. Undefined where one has it. */
export function encodePaths({ entries, removed, opaque }: LayerPaths): Buffer | undefined {
  const counts = [entries.size, removed.size, opaque.size].map(String);
  const fields = [form, ...counts, ...[...entries].flat(), ...removed, ...opaque];
  const bytes = Buffer.from(fields.join("\0"), "latin1");
  return countFields(bytes) === fields.length ? bytes : undefined;
}

/** Undefined where an older or a newer version wrote it, or something else did. */
export function decodePaths(bytes: Buffer): LayerPaths | undefined {
  const fields = bytes.toString("latin1").split("\0");
  const [head, ...counts] = fields.slice(0, 4);
  const [entryCount = -1, removedCount = -1, opaqueCount = -1] = counts.map(Number);
  const expected = 4 + 2 * entryCount + removedCount + opaqueCount;
  if (head !== form || fields.length !== expected) return undefined;
  const entries = new Map<ByteString, PathState>();
  const end = 4 + 2 * entryCount;
  for (let at = 4; at < end; at += 2) entries.set(fields[at] ?? "", fields[at + 1] ?? "");
  return {
    entries,
    removed: new Set(fields.slice(end, end + removedCount)),
    opaque: new Set(fields.slice(end + removedCount)),
  };
}

/** Another one where the same layer would be told otherwise. */
const form = "paths-1";

function countFields(bytes: Buffer): number {
  let count = 1;
  for (let at = bytes.indexOf(0); at !== -1; at = bytes.indexOf(0, at + 1)) count += 1;
  return count;
}
