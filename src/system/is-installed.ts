import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Whether a program is in one of the directories of PATH. */
export function isInstalled(program: string, path: string): boolean {
  return findInstalled(program, path) !== undefined;
}

/** Where a program is, in the first directory of PATH that has it. */
export function findInstalled(program: string, path: string): string | undefined {
  const places = path.split(delimiter).map((directory) => join(directory || ".", program));
  return places.find((place) => {
    try {
      accessSync(place, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
