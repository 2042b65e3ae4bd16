import { lstatSync, readdirSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { checkProcess, identifyOwnProcess } from "../../system/process-identity.ts";
import { removeTree } from "../../system/remove-tree.ts";

const prefix = "xbuild-pass-";

/**
 * A private directory for a build without OUTPUT, which has no run in the store. Its name says whose it is, so that one
 * that a killed process left is found by the next.
 */
export async function makePassDirectory(): Promise<string> {
  await removeOrphans();
  return mkdtemp(join(tmpdir(), `${prefix}${await identifyOwnProcess()}-`));
}

let removed: Promise<void> | undefined;

/** Removes what processes of ours that were killed have left; once in a process. */
export function removeOrphans(): Promise<void> {
  return (removed ??= removeDead());
}

/** @param directory where to look */
export async function removeDead(directory = tmpdir()): Promise<void> {
  for (const name of listNames(directory)) {
    const identity = /^xbuild-pass-(?<identity>.+)-[^-]+$/.exec(name)?.groups?.["identity"];
    const path = join(directory, name);
    if (identity === undefined || !isOwn(path)) continue;
    if ((await checkProcess(identity)) === "dead") await removeTree(path);
  }
}

function listNames(directory: string): readonly string[] {
  try {
    return readdirSync(directory).filter((one) => one.startsWith(prefix));
  } catch {
    // Whoever needs it says what is wrong with it.
    return [];
  }
}

/** What others have put there is theirs. */
function isOwn(path: string): boolean {
  const status = lstatSync(path, { throwIfNoEntry: false });
  return status?.isDirectory() === true && status.uid === process.geteuid?.();
}
