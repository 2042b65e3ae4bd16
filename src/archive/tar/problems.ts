import type { XbuildError } from "../../errors.ts";
import { refuse } from "../refuse.ts";
import { HeaderProblem } from "./header.ts";

const hints = {
  "layer-tar-broken":
    "Write the archive anew with GNU tar, bsdtar or another tool that follows POSIX.",
  "layer-tar-truncated":
    "Let the program that writes the archive end before the step ends, and check its exit status.",
  "layer-tar-trailing-data":
    "An archive ends with two blocks of zeros; leave out what stands behind them.",
  "layer-tar-size-mismatch":
    "Readers would disagree on where the next file begins; write the archive anew.",
  "layer-tar-entry-type":
    "A layer holds files, directories, symbolic and hard links, FIFOs and devices alone.",
  "layer-tar-device":
    "Leave devices out (a container runtime makes its own), or allow them with --allow-devices.",
  "layer-tar-duplicate-path":
    "Give each path one entry; which of two counts differs between tools.",
  "layer-tar-path-escape": "Paths in a layer are relative to the image's root and have no `..`.",
  "layer-tar-path-through-link":
    "Use the path that the link points to, or make the parent a directory.",
  "layer-tar-link-target": "A hard link names a file that stands before it in the same layer.",
  "layer-tar-whiteout":
    "A whiteout is an empty file `.wh.<name>`, or `.wh..wh..opq` for a whole directory.",
  "layer-too-many-entries": "Split the layer into several.",
} as const;

export type TarCode = keyof typeof hints;

/** The error for an archive or a tree that is refused; `file` as the build names it. */
export function refuseTar(
  code: TarCode,
  message: string,
  file: string,
  cause?: unknown,
): XbuildError {
  return refuse(code, message, { file }, hints[code], cause);
}

/** Gives a header's problem the name of its archive. */
export function locateProblem(problem: unknown, file: string, offset: number): unknown {
  if (!(problem instanceof HeaderProblem)) return problem;
  return refuseTar("layer-tar-broken", `${problem.message} (at byte ${offset})`, file, problem);
}
