import { randomBytes } from "node:crypto";
import { fchmodSync, lstatSync, renameSync, rmdirSync, unlinkSync } from "node:fs";
import { setImmediate } from "node:timers/promises";
import {
  closeDirectory,
  iterateNames,
  makeAccessible,
  openOwnDirectory,
  pathIn,
  type OpenDirectory,
} from "./directory.ts";
import { systemCode } from "./errno.ts";

export interface RemovalOptions {
  /** Where it is aborted, the removal ends soon: what is left then is the next cleaner's. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that it may go on after that; a second unless given. */
  readonly patience?: number;
}

/** Why something was left, by the system's code (`EPERM`) or `interrupted`; undefined where nothing was. */
export type Leftover = string | undefined;

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
    await emptyRoot(removal, root);
  } finally {
    closeDirectory(root);
  }
  if (removal.left === undefined) attempt(removal, () => rmdirSync(path));
  return removal.left;
}

interface Removal {
  readonly options: RemovalOptions;
  /** Of this removal alone: what an earlier one left under such names is not taken for its own. */
  readonly prefix: string;
  /** Numbers of directories that were moved up and are to be emptied. */
  readonly waiting: number[];
  count: number;
  steps: number;
  /** When the signal was first seen to be aborted, in milliseconds. */
  abortedAt: number | undefined;
  left: Leftover;
}

const defaultPatience = 1000;
const stepsPerTurn = 250;
/** How often a directory is emptied again that somebody still writes to. */
const maxPasses = 5;

function createRemoval(options: RemovalOptions): Removal {
  const prefix = `.removing-${randomBytes(9).toString("base64url")}-`;
  return {
    options,
    prefix,
    waiting: [],
    count: 0,
    steps: 0,
    abortedAt: undefined,
    left: undefined,
  };
}

async function emptyRoot(removal: Removal, root: OpenDirectory): Promise<void> {
  await emptyDirectory(removal, root, root);
  for (let number = removal.waiting.pop(); number !== undefined; number = removal.waiting.pop()) {
    if (removal.left === "interrupted") return;
    await removeMoved(removal, root, number);
  }
}

async function removeMoved(removal: Removal, root: OpenDirectory, number: number): Promise<void> {
  const path = pathIn(root, removal.prefix + number);
  const directory = attempt(removal, () => openOwnDirectory(path));
  if (directory === undefined) return;
  try {
    await emptyDirectory(removal, directory, root);
    for (let pass = 1; pass < maxPasses && isFilled(path); pass += 1) {
      await emptyDirectory(removal, directory, root);
    }
  } finally {
    closeDirectory(directory);
  }
  attempt(removal, () => rmdirSync(path));
}

/** Whether the directory was not empty; if it was, it is gone. */
function isFilled(path: Buffer): boolean {
  try {
    rmdirSync(path);
    return false;
  } catch (error) {
    return systemCode(error) === "ENOTEMPTY" || systemCode(error) === "EEXIST";
  }
}

async function emptyDirectory(
  removal: Removal,
  directory: OpenDirectory,
  root: OpenDirectory,
): Promise<void> {
  for (const name of iterateNames(directory)) {
    if (await isInterrupted(removal)) return;
    // A directory that was moved up while the root is being listed is on the list already.
    if (directory === root && name.toString("latin1").startsWith(removal.prefix)) continue;
    attempt(removal, () => removeName(removal, directory, root, name));
  }
}

function removeName(
  removal: Removal,
  directory: OpenDirectory,
  root: OpenDirectory,
  name: Buffer,
): void {
  const path = pathIn(directory, name);
  try {
    withAccess(directory, () => unlinkSync(path));
  } catch (error) {
    // Linux says EISDIR, POSIX EPERM.
    const code = systemCode(error);
    if (code !== "EISDIR" && code !== "EPERM") throw error;
    if (code === "EPERM" && !lstatSync(path).isDirectory()) throw error;
    removeDirectory(removal, directory, root, path);
  }
}

/** An empty one at once; the others wait in the root. */
function removeDirectory(
  removal: Removal,
  parent: OpenDirectory,
  root: OpenDirectory,
  path: Buffer,
): void {
  try {
    withAccess(parent, () => rmdirSync(path));
  } catch (error) {
    const code = systemCode(error);
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
    const number = (removal.count += 1);
    moveUp(path, pathIn(root, removal.prefix + number));
    removal.waiting.push(number);
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

/** What is gone already is as it should be; what fails otherwise is left. */
function attempt<T>(removal: Removal, action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    if (code !== "ENOENT") removal.left ??= code;
    return undefined;
  }
}

async function isInterrupted(removal: Removal): Promise<boolean> {
  removal.steps += 1;
  if (removal.steps % stepsPerTurn !== 0) return removal.left === "interrupted";
  await setImmediate();
  const { signal, patience = defaultPatience } = removal.options;
  if (signal?.aborted === true) {
    removal.abortedAt ??= performance.now();
    if (performance.now() - removal.abortedAt >= patience) removal.left = "interrupted";
  }
  return removal.left === "interrupted";
}
