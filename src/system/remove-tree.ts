import { randomBytes } from "node:crypto";
import { fchmodSync, lstatSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import {
  closeDirectory,
  iterateNames,
  makeAccessible,
  openOwnDirectory,
  pathIn,
  type OpenDirectory,
} from "./directory.ts";
import { systemCode } from "./errno.ts";
import {
  attempt,
  createRemoval,
  isInterrupted,
  type Leftover,
  type Removal,
  type RemovalOptions,
} from "./removal.ts";

/**
 * Removes a file or directory with all that is in it, whoever writes in it meanwhile: everything is reached
 * through open directories, and nothing is followed, so that nothing outside is touched
 * (CVE-2022-21658 is what happens else). Each directory in it is moved up into the tree's own root under a
 * random name before it is emptied: so two directories are open at most, no path is longer than one name, and
 * whoever knows its old place does not find it there. Idempotent: nothing happens where nothing is there.
 * The directory that `path` lies in must be ours. It does not throw for what cannot be removed.
 */
export async function removeTree(path: string, options: RemovalOptions = {}): Promise<Leftover> {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return undefined;
  const removal = createRemoval(options);
  if (!status.isDirectory()) {
    attempt(removal, () => unlinkSync(path));
    return removal.left;
  }
  const root = attempt(removal, () => openOwnDirectory(path));
  if (root === undefined) return removal.left;
  try {
    const tree = { removal, root, prefix: createPrefix(), waiting: [], count: 0 };
    await emptyRoot(tree);
    // Where names go while a directory is listed, a system may leave some out.
    for (let pass = 1; pass < maxPasses && mayBeFilled(removal, path); pass += 1) {
      await emptyRoot(tree);
    }
  } finally {
    closeDirectory(root);
  }
  if (removal.left === undefined) attempt(removal, () => rmdirSync(path));
  return removal.left;
}

/** The tree's own directory while it is being emptied. */
interface Emptying {
  readonly removal: Removal;
  readonly root: OpenDirectory;
  /** Of this removal alone: what an earlier one left under such names is not taken for its own. */
  readonly prefix: string;
  /** Numbers of directories that were moved up and are to be emptied. */
  readonly waiting: number[];
  count: number;
}

/** How often a directory is emptied again that somebody still writes to. */
const maxPasses = 5;

function createPrefix(): string {
  return `.removing-${randomBytes(9).toString("base64url")}-`;
}

async function emptyRoot(tree: Emptying): Promise<void> {
  const { removal, root, waiting } = tree;
  await emptyDirectory(tree, root);
  for (let number = waiting.pop(); number !== undefined; number = waiting.pop()) {
    if (removal.left === "interrupted") return;
    await removeMoved(tree, number);
  }
}

function mayBeFilled({ left }: Removal, path: string): boolean {
  return left === undefined && isFilled(path);
}

async function removeMoved(tree: Emptying, number: number): Promise<void> {
  const { removal } = tree;
  const path = pathIn(tree.root, tree.prefix + number);
  const directory = attempt(removal, () => openOwnDirectory(path));
  if (directory === undefined) return;
  try {
    await emptyDirectory(tree, directory);
    for (let pass = 1; pass < maxPasses && isFilled(path); pass += 1) {
      await emptyDirectory(tree, directory);
    }
  } finally {
    closeDirectory(directory);
  }
  attempt(removal, () => rmdirSync(path));
}

/** Whether the directory was not empty; if it was, it has been removed. */
function isFilled(path: string | Buffer): boolean {
  try {
    rmdirSync(path);
    return false;
  } catch (error) {
    return systemCode(error) === "ENOTEMPTY" || systemCode(error) === "EEXIST";
  }
}

async function emptyDirectory(tree: Emptying, directory: OpenDirectory): Promise<void> {
  const { removal, root, prefix } = tree;
  for (const name of iterateNames(directory)) {
    if (await isInterrupted(removal)) return;
    // A directory that was moved up while the root is being listed is on the list already.
    if (directory === root && name.toString("latin1").startsWith(prefix)) continue;
    attempt(removal, () => removeName(tree, directory, name));
  }
}

function removeName(tree: Emptying, directory: OpenDirectory, name: Buffer): void {
  const path = pathIn(directory, name);
  try {
    withAccess(directory, () => unlinkSync(path));
  } catch (error) {
    // Linux says EISDIR, POSIX EPERM.
    const code = systemCode(error);
    if (code !== "EISDIR" && code !== "EPERM") throw error;
    if (code === "EPERM" && !lstatSync(path).isDirectory()) throw error;
    removeDirectory(tree, directory, path);
  }
}

/** An empty one at once; the others wait in the root. */
function removeDirectory(tree: Emptying, parent: OpenDirectory, path: Buffer): void {
  try {
    withAccess(parent, () => rmdirSync(path));
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    const number = (tree.count += 1);
    moveUp(path, pathIn(tree.root, tree.prefix + number));
    tree.waiting.push(number);
  }
}

/** To move a directory elsewhere, one must be allowed to write in it: its `..` changes. */
function moveUp(path: Buffer, target: Buffer): void {
  try {
    renameSync(path, target);
  } catch (error) {
    if (systemCode(error) !== "EACCES") throw error;
    makeAccessible(path);
    renameSync(path, target);
  }
}

/** Does it again where the directory that it happens in must be made accessible first. */
function withAccess(directory: OpenDirectory, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (systemCode(error) !== "EACCES") throw error;
    fchmodSync(directory.fd, 0o700);
    action();
  }
}
