import { chmod, lstat, mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { captureProgram } from "../../system/capture-program.ts";
import { systemCode } from "../../system/errno.ts";
import { removeTree } from "../../system/remove-tree.ts";
import { limitText } from "../../text.ts";

/** Where an output was left, or why it could not be. */
export type LeftOutput = { readonly path: string } | { readonly reason: string };

/** What is left, and where: as `<directory>/<name>`, or with a number behind it where that is taken. */
export interface LeavingOutput {
  readonly output: string;
  readonly directory: string;
  readonly name: string;
}

/**
 * Moves an output that nobody needs any more to where a user can look at it. Nobody but its owner gets in there, for it
 * has what a step wrote, with the modes that the step gave. No link in it is followed. Where it fails, nothing is left.
 */
export async function leaveOutput(
  { output, directory, name }: LeavingOutput,
  signal: AbortSignal,
): Promise<LeftOutput> {
  try {
    await mkdir(directory, { recursive: true });
    const path = await findFree(join(directory, name));
    await chmod(output, 0o700);
    const isMoved = await moveWithin(output, path);
    const reason = isMoved ? undefined : await copyTree(output, path, signal);
    return reason === undefined ? { path } : { reason };
  } catch (error) {
    const reason = systemCode(error);
    if (reason === undefined) throw error;
    return { reason };
  }
}

async function findFree(path: string): Promise<string> {
  for (let number = 1; ; number += 1) {
    const candidate = number === 1 ? path : `${path}-${number}`;
    if ((await lstat(candidate).catch(() => undefined)) === undefined) return candidate;
  }
}

/** @returns false where that is another file system */
async function moveWithin(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (systemCode(error) !== "EXDEV") throw error;
    return false;
  }
}

/** All that a tree may have: links as links, special files unopened. @returns why it failed; undefined where it did not */
async function copyTree(
  from: string,
  to: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const call = { cwd: "/", env: { ...process.env, LC_ALL: "C" }, signal, longest: maxWords };
  try {
    const done = await captureProgram(["cp", "-a", "--", from, to], call);
    if (done?.status === 0) return undefined;
    const said = done?.stderr.toString("utf8").trim().split("\n").at(-1) ?? "";
    await removeTree(to);
    return limitText(said === "" ? "cp failed" : said, 500);
  } catch (error) {
    await removeTree(to);
    throw error;
  }
}

/** Bytes that cp may say: a line for each file that it cannot copy. */
const maxWords = 64 * 1024 * 1024;
