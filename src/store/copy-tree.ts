import { chmod, constants, mkdir, open, readdir, readlink, symlink } from "node:fs/promises";
import { createWriteStream, type Dirent } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { settleFile, syncDirectory } from "./files.ts";

/**
 * Copies a directory as new files: regular files, directories and links, with their permission bits,
 * durable. Whatever else there is (devices, sockets, FIFOs) is left out; links are copied, not followed.
 */
export async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to);
  for (const entry of await readdir(from, { withFileTypes: true })) {
    await copyEntry(entry, join(from, entry.name), join(to, entry.name));
  }
  await chmod(to, 0o755);
  await syncDirectory(to);
}

async function copyEntry(entry: Dirent, from: string, to: string): Promise<void> {
  if (entry.isDirectory()) await copyTree(from, to);
  if (entry.isSymbolicLink()) await symlink(await readlink(from), to);
  if (entry.isFile()) await copyRegularFile(from, to);
}

async function copyRegularFile(from: string, to: string): Promise<void> {
  // Between listing and opening, a process that the build left behind may put a link or a FIFO there.
  const source = await open(from, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const status = await source.stat();
    if (!status.isFile()) return;
    await pipeline(
      source.createReadStream({ autoClose: false }),
      createWriteStream(to, { flags: "wx" }),
    );
    await settleFile(to, (status.mode & 0o777) | 0o444);
  } finally {
    await source.close();
  }
}
