import { statfs } from "node:fs/promises";
import { XbuildError } from "../errors.ts";

/** A document that is not what it should be. */
export function createInvalid(reason: string, cause?: unknown): XbuildError {
  return new XbuildError("image-invalid", `the image is broken: ${reason}`, {
    hint: "push the image again, or name another one; --ignore-cache-errors builds without it",
    cause,
  });
}

/** The error of a copy that skopeo could not make. Its words are shown, and decide nothing. */
export function createCopyError(what: string, message: string): XbuildError {
  return new XbuildError("copy-failed", `cannot ${what}: ${message}`, {
    hint: "see skopeo's message",
  });
}

const fullHint = "make room: xbuild cache prune removes what no name needs";

/** The error for a disk on which nothing more fits. */
export function createFull(directory: string, cause: unknown): XbuildError {
  return new XbuildError("store-full", `no space is left for ${directory}`, {
    hint: fullHint,
    cause,
  });
}

/** In bytes: no copy of an image needs less. */
const leastRoom = 64 * 1024;

/** The error of a copy into a directory: `store-full` where the disk has no room left, whatever else was said. */
export async function blameDisk(error: unknown, directory: string): Promise<unknown> {
  const { bavail, bsize } = await statfs(directory);
  return bavail * bsize < leastRoom ? createFull(directory, error) : error;
}
