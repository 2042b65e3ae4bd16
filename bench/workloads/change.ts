import { randomUUID } from "node:crypto";
import { appendFile, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** In the order of their layers. */
interface Packages {
  readonly context: string;
  readonly packages: readonly string[];
}

/** Below the bottom of 96 layers, so that almost all of the peer's are built again. */
const changedPackage = 4;

/**
 * Lets a file of one package change as a patch would change it. `next` gives it a content that no build has
 * seen, in this workload or another; in the end it is as it was, its time too.
 */
export async function withChanges<T>(
  { context, packages }: Packages,
  use: (next: () => Promise<void>) => Promise<T>,
): Promise<T> {
  const file = await findSmallFile(join(context, "pkgs", packages[changedPackage] ?? ""));
  const [original, { atime, mtime }] = await Promise.all([readFile(file), stat(file)]);
  const next = async (): Promise<void> => {
    await writeFile(file, original);
    await appendFile(file, `change ${randomUUID()}\n`);
  };
  try {
    return await use(next);
  } finally {
    await writeFile(file, original);
    await utimes(file, atime, mtime);
  }
}

/** A text of the package, of any size that a patch would change. */
async function findSmallFile(directory: string): Promise<string> {
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await stat(path)).nlink === 1) return path;
  }
  throw new Error(`${directory} has no file to change`);
}
