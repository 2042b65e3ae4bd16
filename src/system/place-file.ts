import { randomBytes } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { chmod, open, rename, rm, type FileHandle } from "node:fs/promises";
import { dirname, join } from "node:path";
import { XbuildError } from "../errors.ts";
import { systemCode } from "./errno.ts";
import { findTarget, mayWrite, refuseTarget, type Target } from "./target.ts";
import { writeInPlace, type Content, type WaitOptions } from "./write-in-place.ts";

/** A file whose content is ready and whose place is not yet taken. */
export interface PreparedFile {
  /** Puts it in its place at once: whoever reads finds the old content or the new one, whole. */
  readonly place: () => Promise<void>;
  /** Gives it up; harmless after `place`. */
  readonly discard: () => Promise<void>;
}

export interface FileToPlace extends WaitOptions {
  readonly path: string;
  /** How the user named it: `--iidfile x`. */
  readonly what: string;
  /** Read once. */
  readonly content: Content;
}

export type FileTarget = Extract<Target, { readonly kind: "file" }>;

/**
 * Makes a file's content ready: beside its place, under a name that nobody can guess, so that all that can
 * fail has failed before `place`. What is no plain file is written in place then; so is a file in a directory
 * where no other can be made. Errors: `output-destination`.
 */
export async function prepareFile(file: FileToPlace): Promise<PreparedFile> {
  const target = findTarget(file.path, file.what);
  if (target.kind !== "file") {
    const place = (): Promise<void> => writeInPlace(target, file.content, file);
    return explainAll(file.what, { place, discard: async () => undefined });
  }
  return explain(file.what, async () => {
    const prepared = mayWrite(dirname(target.path))
      ? await prepareBeside(target, file.content)
      : await prepareOver(target, file.content);
    return explainAll(file.what, prepared);
  });
}

async function prepareBeside(target: FileTarget, content: Content): Promise<PreparedFile> {
  const unfinished = nameUnfinished(target.path);
  const file = await open(unfinished, "wx", 0o666);
  const discard = (): Promise<void> => rm(unfinished, { force: true });
  try {
    await writeContent(file, content);
  } catch (error) {
    await discard();
    throw error;
  } finally {
    await file.close();
  }
  return { place: () => replaceFile(target, unfinished), discard };
}

/** A name beside this one, short enough for every file system. */
export function nameUnfinished(path: string): string {
  return join(dirname(path), `.xbuild-${randomBytes(12).toString("base64url")}`);
}

/**
 * Moves a finished file, which lies in the same directory, into its place; one that stood there keeps its mode.
 * A file that is a mount of its own is written into. The finished file is gone then, whatever happens.
 * Errors: those of the system, `output-destination`.
 */
export async function replaceFile({ path, existing }: FileTarget, finished: string): Promise<void> {
  try {
    // What another user lets everybody do with his file is not for ours.
    if (existing?.isOwn === true) await chmod(finished, existing.mode);
    await rename(finished, path);
  } catch (error) {
    const isKept = ["EBUSY", "EPERM", "EACCES"].includes(systemCode(error) ?? "");
    if (existing === undefined || !isKept) throw error;
    const over = await prepareOver({ kind: "file", path, existing }, createReadStream(finished));
    await over.place();
  } finally {
    await rm(finished, { force: true });
  }
}

/** The file itself, held open from now on. */
async function prepareOver(
  { path, existing }: FileTarget,
  content: Content,
): Promise<PreparedFile> {
  if (existing?.isPlanted === true) {
    const reason = "it belongs to another user, in a directory that everybody may write to";
    throw refuseTarget(path, reason, "name a file in a directory of your own");
  }
  const file = await open(path, constants.O_WRONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  let isOpen = true;
  const discard = async (): Promise<void> => {
    if (isOpen) await file.close();
    isOpen = false;
  };
  const place = async (): Promise<void> => {
    try {
      // Cut behind it, and not before: where there is no room, as much as can be is still there.
      await file.truncate(await writeContent(file, content));
    } finally {
      await discard();
    }
  };
  return { place, discard };
}

/** @returns the number of bytes */
async function writeContent(file: FileHandle, content: Content): Promise<number> {
  let size = 0;
  for await (const chunk of content) {
    await file.writeFile(chunk);
    size += chunk.length;
  }
  return size;
}

function explainAll(what: string, { place, discard }: PreparedFile): PreparedFile {
  return { place: () => explain(what, place), discard: () => explain(what, discard) };
}

/** Runs what writes a file, and says in words why the system refuses. Errors: `output-destination`. */
export async function explain<T>(what: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const code = systemCode(error);
    if (error instanceof XbuildError || code === undefined) throw error;
    throw new XbuildError("output-destination", `${what}: it cannot be written (${code})`, {
      hint: "name a file that this user may write, on a disk with room",
      cause: error,
    });
  }
}
