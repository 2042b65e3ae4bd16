import { linkSync, lstatSync, lutimesSync, symlinkSync } from "node:fs";
import { type ArchivedEntry, type ByteString, showBytes } from "../../archive/archive.ts";
import { clear } from "./files.ts";
import { pathOf, refuseEntry, type Unpacking } from "./unpacking.ts";

/** An absolute target is the image's business; one that climbs out of the context is nobody's. */
export function makeLink(unpacking: Unpacking, { path, link, mtime }: ArchivedEntry): void {
  if (climbsOut(path, link))
    throw refuseEntry(
      unpacking,
      `the link ${showBytes(path)} leads out of the context, to ${showBytes(link)}`,
    );
  const place = pathOf(unpacking, path);
  clear(place);
  symlinkSync(Buffer.from(link, "latin1"), place);
  lutimesSync(place, mtime, mtime);
}

function climbsOut(path: ByteString, link: ByteString): boolean {
  if (link.startsWith("/")) return false;
  let depth = path.split("/").length - 1;
  for (const part of link.split("/")) {
    if (part === "..") depth -= 1;
    else if (part !== "" && part !== ".") depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

export function makeHardLink(unpacking: Unpacking, { path, link }: ArchivedEntry): void {
  const parent = link.slice(0, Math.max(link.lastIndexOf("/"), 0));
  const source = pathOf(unpacking, link);
  const isThere =
    unpacking.directories.has(parent) &&
    lstatSync(source, { throwIfNoEntry: false })?.isFile() === true;
  if (!isThere) {
    throw refuseEntry(
      unpacking,
      `${showBytes(path)} is a hard link to ${showBytes(link)}, but no file of that path comes before it`,
    );
  }
  if (link === path) return;
  const place = pathOf(unpacking, path);
  clear(place);
  linkSync(source, place);
}
