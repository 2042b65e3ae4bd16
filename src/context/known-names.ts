import { statSync } from "node:fs";
import { type Entry, kindOf, type Trust } from "./entry.ts";
import { keepsNames } from "./file-systems.ts";
import { listNames, type NameType, splitTyped, typeOf } from "./list-names.ts";
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
  return typeOf({ mode: place.block()?.modeAt(place.at()) ?? 0 });
}
