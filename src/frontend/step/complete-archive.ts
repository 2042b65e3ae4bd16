import { closeSync, fstatSync, lstatSync, openSync } from "node:fs";
import { type ByteString, encodeEntry, type Entry } from "../../archive/archive.ts";
import { writeWhole } from "../../system/write-whole.ts";
import type { ArchiveFacts } from "./read-archive.ts";

/** Bytes of the two blocks that end an archive. POSIX.1-2017, pax */
const endSize = 1024;

/**
 * Writes behind the entries of an archive what BuildKit needs to unpack it as it is meant: directories that nobody wrote an
 * entry for, which BuildKit's layers have, so with the mode and owner that they have elsewhere; and links again, with the
 * attributes of their file.
 */
export async function completeArchive(
  path: string,
  { implied, links }: Pick<ArchiveFacts, "implied" | "links">,
  findDirectory: (path: ByteString) => DirectoryFacts | undefined,
): Promise<void> {
  if (implied.size === 0 && links.length === 0) return;
  const added: Buffer[] = [];
  const add = (entry: Entry): void =>
    encodeEntry(entry, entry.mtime, (bytes) => added.push(Buffer.from(bytes)));
  // What is in a directory comes before it, so that its time stays.
  const directories = [...implied].toReversed();
  for (const link of links) add(link);
  for (const [name, first] of directories)
    add(describeDirectory(name, first, findDirectory(name) ?? ordinary));
  const bytes = Buffer.concat([...added, Buffer.alloc(endSize)]);
  const fd = openSync(path, "r+");
  try {
    await writeWhole(fd, bytes, fstatSync(fd).size - endSize);
  } finally {
    closeSync(fd);
  }
}

export type DirectoryFacts = Pick<Entry, "mode" | "uid" | "gid">;

const ordinary: DirectoryFacts = { mode: 0o755, uid: 0, gid: 0 };

function describeDirectory(
  path: ByteString,
  { mtime }: Entry,
  { mode, uid, gid }: DirectoryFacts,
): Entry {
  const none = { link: "", deviceMajor: 0, deviceMinor: 0, xattrs: [], size: 0 };
  return { ...none, path, type: "directory", mode, uid, gid, mtime };
}

/** A directory of the environment; undefined where the path, or one on the way to it, is none. */
export function findBelow(root: string, path: ByteString): DirectoryFacts | undefined {
  let found: DirectoryFacts | undefined;
  const names = path.split("/");
  for (const [at] of names.entries()) {
    const place = Buffer.from(`${root}/${names.slice(0, at + 1).join("/")}`, "latin1");
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats?.isDirectory() !== true) return undefined;
    found = { mode: stats.mode & 0o7777, uid: stats.uid, gid: stats.gid };
  }
  return found;
}
