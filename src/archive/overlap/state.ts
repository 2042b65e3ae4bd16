import type { ArchivedEntry, ByteString, EntryType } from "../tar/entry.ts";

/**
 * What is at a path, as a short text: equal for what is equal in all but time. A layer of 100,000 files has as many
 * of them, so there is no object for each.
 */
export type PathState = ByteString;

/** Nothing is there: it was removed, or what it lay in. */
export const absent: PathState = "-";

/** A directory that only stands in the paths of others: it is there, and nothing says with which mode and owner. */
export const impliedDirectory: PathState = "d";

const letters: Readonly<Record<EntryType, string>> = {
  file: "f",
  "hard-link": "h",
  symlink: "l",
  "character-device": "c",
  "block-device": "b",
  directory: "d",
  fifo: "p",
};

/** All of an entry that makes a difference; `content` is its data's hash. A link's mode is what its archiver made up. */
export function describeState(entry: ArchivedEntry, content: string): PathState {
  const mode = entry.type === "symlink" ? 0 : entry.mode;
  const xattrs = entry.xattrs.length === 0 ? "" : JSON.stringify(entry.xattrs);
  const head = `${letters[entry.type]}${mode.toString(8)} ${entry.uid} ${entry.gid}`;
  // The list has an end of its own, and what comes last may be any text.
  return `${head} ${xattrs} ${describeRest(entry, content)}`;
}

function describeRest(entry: ArchivedEntry, content: string): string {
  const { type, size, link, sparse } = entry;
  if (type === "symlink" || type === "hard-link") return link;
  if (type === "file") {
    return sparse === undefined ? content : `${content} ${size} ${JSON.stringify(sparse)}`;
  }
  const isDevice = type === "character-device" || type === "block-device";
  return isDevice ? `${entry.deviceMajor}:${entry.deviceMinor}` : "";
}

export function isDirectoryState(state: PathState): boolean {
  return state.startsWith("d");
}

/** A hard link to what no file of its layer is: what it is, a lower layer says. */
export function isForeignLink(state: PathState): boolean {
  return state.startsWith("h");
}
