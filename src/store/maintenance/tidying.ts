import { stat, writeFile } from "node:fs/promises";
import { ifPresent, tolerate } from "../../system/errno.ts";
import { isForeign } from "../layout/access.ts";
import { tidiedPath, type Store } from "../layout/paths.ts";

/** Milliseconds. */
const day = 24 * 60 * 60 * 1000;

/**
 * Whether nobody has tidied up for a day; then the caller is about to. A store that is used for the first time has nothing
 * that is old. What cannot be written down is not begun.
 */
export async function beginTidying(store: Store): Promise<boolean> {
  if (isForeign(store)) return false;
  const status = await ifPresent(stat(tidiedPath(store)));
  // A time to come is one of a clock that was wrong.
  if (status !== undefined && Math.abs(Date.now() - status.mtimeMs) < day) return false;
  await tolerate(writeFile(tidiedPath(store), "", { mode: 0o600 }));
  return status !== undefined && (await ifPresent(stat(tidiedPath(store)))) !== undefined;
}
