import type { ByteString } from "../tar/entry.ts";
import {
  closeDirectory,
  openDirectory,
  openParent,
  readIdentity,
  type OutputDirectory,
} from "./directory.ts";
import { changed } from "./problems.ts";

/** A way down into a tree and up again, on which few directories are open at a time, however deep it is. */
export interface Descent {
  /** The directory that has been reached. */
  readonly current: () => OutputDirectory;
  /** Goes into a directory of it. Errors: those of `openDirectory`. */
  readonly enter: (name: ByteString) => void;
  /** Goes back up. Errors: `output-changed` where the directory has been moved elsewhere meanwhile. */
  readonly leave: () => void;
  /** Closes what is open but for the root, whatever happened. */
  readonly close: () => void;
}

interface Level {
  /** Which directory it is, known once it was closed. */
  identity: string | undefined;
  /** Undefined while it is closed. */
  directory: OutputDirectory | undefined;
  readonly shown: () => string;
}

/** Levels that stay open while those below them are read: the usual trees need no more. */
const maxOpen = 16;

/**
 * Starts at the root, which belongs to the caller. What lies deeper than some levels is closed on the way
 * down and found again on the way up by its `..`, which counts only where it is the same directory (device
 * and inode) as before, so that whoever moves directories leads nobody elsewhere.
 */
export function createDescent(root: OutputDirectory): Descent {
  const levels: Level[] = [];
  const current = (): OutputDirectory => levels.at(-1)?.directory ?? root;
  return {
    current,
    enter: (name) => {
      const parent = current();
      const directory = openDirectory(parent, name);
      const above = levels.at(-1);
      if (above !== undefined && levels.length > maxOpen) closeLevel(above);
      levels.push({ identity: undefined, directory, shown: () => directory.shown });
    },
    leave: () => {
      const left = levels.pop();
      if (left?.directory === undefined) return;
      try {
        reopen(levels.at(-1), left.directory);
      } finally {
        closeDirectory(left.directory);
      }
    },
    close: () => {
      for (const { directory } of levels.splice(0)) {
        if (directory !== undefined) closeDirectory(directory);
      }
    },
  };
}

function closeLevel(level: Level): void {
  if (level.directory === undefined) return;
  level.identity = readIdentity(level.directory);
  closeDirectory(level.directory);
  level.directory = undefined;
}

function reopen(level: Level | undefined, child: OutputDirectory): void {
  if (level === undefined || level.directory !== undefined) return;
  const { fd, way } = openParent(child);
  const directory = {
    fd,
    way,
    get shown() {
      return level.shown();
    },
  };
  level.directory = directory;
  if (readIdentity(directory) !== level.identity) throw changed(level.shown());
}
