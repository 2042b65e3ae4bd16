import { lstatSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** As many links as Linux follows. path_resolution(7) */
const maxLinks = 40;

/**
 * The directory that a path names in another root, whose links lead nowhere else. @returns its path here, without links;
 * undefined where it is no directory
 */
export function resolveBelow(root: string, path: string): string | undefined {
  const waiting = path.split("/").toReversed();
  const found: string[] = [];
  let links = 0;
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      found.pop();
      continue;
    }
    const place = join(root, ...found, name);
    const stats = lstatSync(place, { throwIfNoEntry: false });
    if (stats?.isDirectory() === true) {
      found.push(name);
      continue;
    }
    links += 1;
    if (stats?.isSymbolicLink() !== true || links > maxLinks) return undefined;
    const target = readlinkSync(place);
    if (target.startsWith("/")) found.length = 0;
    waiting.push(...target.split("/").toReversed());
  }
  return join(root, ...found);
}
