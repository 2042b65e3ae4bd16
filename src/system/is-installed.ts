import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";

/** Whether a program is in one of the directories of PATH. */
export function isInstalled(program: string, path: string): boolean {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory || ".", program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
