import { statfsSync, statSync } from "node:fs";
import { type Entry, kindOf, type Trust } from "./entry.ts";
import { listNames, type NameType, splitTyped } from "./list-names.ts";
import { createPlace, type Place } from "./place.ts";
import type { Snapshot } from "./snapshot.ts";

/** A name in a directory, and what it was when it was listed. */
export type KnownName = readonly [name: string, type: NameType];

/** What directories had in them, for a walk of the same tree by the same rules. */
export interface KnownNames {
  /**
   * The names in a directory that nobody has changed since they were read; undefined where that is not known. Directories
   * are asked for in the order of the walk, and names are taken one by one, all below each before the next.
   */
  readonly list: (directory: Entry) => Iterable<KnownName> | undefined;
}

/**
 * statfs(2): file systems of this machine alone, on which a directory has another ctime whenever a name in it comes, goes
 * or stands for something else: ext, XFS, Btrfs, tmpfs, overlayfs, ZFS, F2FS, bcachefs.
 */
const trustedTypes: ReadonlySet<number> = new Set([
  0xef53, 0x58465342, 0x9123683e, 0x01021994, 0x794c7630, 0x2fc12fc1, 0xf2f52010, 0xca451a4e,
]);

/** Whether its directories tell by their times when their names change. Errors: the system's. */
export function keepsNames(root: string): boolean {
  return trustedTypes.has(statfsSync(root).type >>> 0);
}

/** undefined where the file system may change a directory's names without its times. Errors: the system's. */
export function openKnownNames(
  root: string,
  snapshot: Snapshot,
  needed: Trust,
): KnownNames | undefined {
  if (!keepsNames(root)) return undefined;
  const device = statSync(root).dev >>> 0;
  const place = createPlace(snapshot);
  return {
    list: (directory) => {
      // Another file system may be mounted there.
      const isOurs = kindOf(directory) === "directory" && directory.dev === device;
      if (!place.goTo(directory.path) || !isOurs) return undefined;
      if (place.block()?.isSame(place.at(), directory, needed) !== true) return undefined;
      place.moveOn();
      // One without names may have been one that nobody was allowed to read.
      const { path } = directory;
      return isBelow(place.path(), path) ? listBelow(place, root, path) : undefined;
    },
  };
}

function* listBelow(place: Place, root: string, directory: string): Iterable<KnownName> {
  let last = "";
  for (let path = place.path(); isBelow(path, directory); path = place.path()) {
    last = path.slice(directory.length + 1);
    yield [last, typeHere(place)];
    // What is below it was passed by whoever walked there, or is not looked at.
    while (place.path() === path || isBelow(place.path(), path)) place.moveOn();
  }
  if (!place.isCut()) return;
  for (const typed of listNames(root, directory)) {
    const known = splitTyped(typed);
    if (known[0] > last) yield known;
  }
}

function isBelow(path: string | undefined, directory: string): path is string {
  return path?.startsWith(`${directory}/`) === true;
}

function typeHere(place: Place): NameType {
  const mode = place.block()?.modeAt(place.at()) ?? 0;
  const kind = kindOf({ mode });
  return kind === "directory" || kind === "link" ? kind : "other";
}
