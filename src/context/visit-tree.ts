import { statSync } from "node:fs";
import { type Entry, toEntry } from "./entry.ts";
import { findStatus, type WalkOptions, walkTree } from "./walk.ts";

/** Is given each entry; what it returns is waited for before the next one comes. */
export type Take = (entry: Entry) => Promise<void> | undefined;

/** All that is in a directory and not ignored, in the order of the walk; of a single file that alone. */
export async function visitTree(root: string, options: WalkOptions, take: Take): Promise<void> {
  // The root itself may be a link, as it may for the engine.
  const status = statSync(root);
  if (!status.isDirectory() || options.withRoot === true) await take(toEntry("", status));
  if (!status.isDirectory()) return undefined;
  return walkTree(root, options, (path) => {
    const found = findStatus(root, path);
    return found === undefined ? undefined : take(toEntry(path, found));
  });
}
