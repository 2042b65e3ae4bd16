import { chmod, lstat, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ifPresent, systemCode } from "./failures.ts";

/**
 * Removes a file or directory with all that is in it, also directories that their owner may not write
 * (a build made them). Nothing happens where it is not there. Links are removed, not followed.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true });
  } catch (error) {
    const code = systemCode(error);
    // ENOTEMPTY: a process that the build left behind still writes there.
    if (code !== "EACCES" && code !== "EPERM" && code !== "ENOTEMPTY") throw error;
    await openTree(path);
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  }
}

async function openTree(path: string): Promise<void> {
  const status = await ifPresent(lstat(path));
  if (status?.isDirectory() !== true) return;
  await chmod(path, 0o700);
  for (const name of await readdir(path)) await openTree(join(path, name));
}
