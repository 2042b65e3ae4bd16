import { realpathSync } from "node:fs";
import { systemCode } from "./errno.ts";

/** Where a path leads when all links are followed; undefined where there is nothing that can be seen. */
export function findRealPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
