import { open } from "node:fs/promises";

/** Makes the names in a directory durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, "r");
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

/** Makes a finished file durable, gives it this mode, and tells its size in bytes. */
export async function settleFile(path: string, mode: number): Promise<number> {
  const file = await open(path, "r");
  try {
    await file.chmod(mode);
    await file.sync();
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}
