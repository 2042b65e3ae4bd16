import type { XbuildError } from "../../errors.ts";
import { refuse } from "../refuse.ts";
import { HeaderProblem } from "./header.ts";

const hints = {
  "layer-tar-broken":
    "write the archive again with GNU tar, bsdtar or another tool that follows POSIX",
  "layer-tar-truncated":
    "let the program that writes the archive finish before the step ends, and check its exit status",
  "layer-tar-trailing-data":
    "end the archive with two blocks of zeros, and write nothing after them",
  "layer-tar-size-mismatch":
    "write the archive again: readers would disagree on where the next file begins",
  "layer-tar-entry-type": "use only files, directories, symbolic and hard links, FIFOs and devices",
  "layer-tar-device":
    "leave devices out (a container runtime makes its own), or allow them with --allow-devices",
  "layer-tar-duplicate-path": "give each path one entry: tools do not agree on which of two counts",
  "layer-tar-path-escape": "write paths relative to the image's root and without `..`",
  "layer-tar-path-through-link":
    "use the path that the link points to, or make the parent a directory",
  "layer-tar-link-target": "put the file that a hard link names before it in the same layer",
  "layer-tar-whiteout":
    "write a whiteout as an empty file `.wh.<name>`, or `.wh..wh..opq` for a whole directory",
  "layer-too-many-entries": "split the layer into several",
} as const;

export type TarCode = keyof typeof hints;

/** The error for an archive or a tree that is refused; `file` as the build names it. */
export function refuseTar(code: TarCode, message: string, file: string): XbuildError {
  return refuse(code, message, { file, hint: hints[code] });
}

/** Gives a header's problem the name of its archive. */
export function locateProblem(problem: unknown, file: string, offset: number): unknown {
  if (!(problem instanceof HeaderProblem)) return problem;
  const hint = hints["layer-tar-broken"];
  const message = `${problem.message} (at byte ${offset})`;
  return refuse("layer-tar-broken", message, { file, hint, cause: problem });
}
