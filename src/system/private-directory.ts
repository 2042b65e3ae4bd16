import { chmodSync, constants, fchmodSync, fstatSync, openSync, closeSync } from "node:fs";
import { dirname } from "node:path";
import { syncDirectory } from "./durable.ts";
import { readIdMap } from "./linux.ts";
import { makeDirectories } from "./make-directories.ts";

/** For its owner alone, whatever the umask is. */
const privateMode = 0o700;

/**
 * Makes a directory, with those that it lies in, each for its owner alone; what is there stays as it is.
 * Durable. Errors: those of mkdir(2).
 */
export async function makePrivateDirectory(path: string): Promise<void> {
  const created = await makeDirectories(path, privateMode);
  const [first] = created;
  if (first === undefined) return;
  for (const one of created.toReversed()) {
    // A umask may have taken from it what its owner needs.
    chmodSync(one, privateMode);
    await syncDirectory(one);
  }
  await syncDirectory(dirname(first));
}

/** Whose a directory is: `own`, `root` (who may do anything in any case), or another user's. */
export type DirectoryOwner = "own" | "root" | "other";

/**
 * Takes from a directory of ours what other users may do with it; `mended` says whether there was anything to take.
 * One of another user is left as it is. A link is followed: where a user keeps his own directory is his affair.
 * @throws those of open(2): ENOENT, ENOTDIR, EACCES
 */
export function closeToOthers(path: string): {
  readonly owner: DirectoryOwner;
  readonly mended: boolean;
} {
  const fd = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    const { uid, mode } = fstatSync(fd);
    const owner = ownerOf(uid);
    const isOpen = (mode & 0o077) !== 0;
    if (owner === "own" && isOpen) fchmodSync(fd, privateMode);
    return { owner, mended: owner === "own" && isOpen };
  } finally {
    closeSync(fd);
  }
}

function ownerOf(uid: number): DirectoryOwner {
  if (uid === process.geteuid?.()) return "own";
  // In a user namespace everybody whom it does not know is "nobody", root among them.
  return uid === 0 || (uid === nobody && isInNamespace()) ? "root" : "other";
}

/** user_namespaces(7), /proc/sys/kernel/overflowuid */
const nobody = 65_534;

function isInNamespace(): boolean {
  const map = readIdMap("uid_map");
  return map !== "" && !/^\s*0\s+0\s+4294967295\s*$/.test(map);
}
