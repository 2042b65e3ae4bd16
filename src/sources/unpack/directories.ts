import { chmodSync, lstatSync, mkdirSync, utimesSync } from "node:fs";
import { type ArchivedEntry, type ByteString, showBytes } from "../../archive/archive.ts";
import { pathOf, refuseEntry, type Unpacking } from "./unpacking.ts";

export function makeDirectory(unpacking: Unpacking, { path, mode, mtime }: ArchivedEntry): void {
  if (path === "") return;
  if (!unpacking.directories.has(path)) {
    makeParents(unpacking, path);
    mkdirSync(pathOf(unpacking, path), { mode: 0o700 });
  }
  unpacking.directories.set(path, { mode, mtime });
}

/** Those that the archive does not name. */
export function makeParents(unpacking: Unpacking, path: ByteString): void {
  const { directories } = unpacking;
  const slash = path.lastIndexOf("/");
  const parent = path.slice(0, Math.max(slash, 0));
  if (directories.has(parent)) return;
  const missing: ByteString[] = [];
  for (
    let one = parent;
    !directories.has(one);
    one = one.slice(0, Math.max(one.lastIndexOf("/"), 0))
  )
    missing.push(one);
  for (const one of missing.toReversed()) {
    if (lstatSync(pathOf(unpacking, one), { throwIfNoEntry: false }) !== undefined) {
      throw refuseEntry(
        unpacking,
        `${showBytes(path)} is inside ${showBytes(one)}, which is not a directory`,
      );
    }
    mkdirSync(pathOf(unpacking, one), { mode: 0o700 });
    directories.set(one, { mode: 0o755, mtime: undefined });
  }
}

/** From below: what may not be written to any more is done. */
export function finishDirectories(unpacking: Unpacking): void {
  for (const [path, { mode, mtime }] of [...unpacking.directories].toReversed()) {
    const place = pathOf(unpacking, path);
    if (mtime !== undefined) utimesSync(place, mtime, mtime);
    chmodSync(place, mode);
  }
}
