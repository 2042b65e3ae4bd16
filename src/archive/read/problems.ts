import { systemCode } from "../../system/errno.ts";
import { refuse } from "../refuse.ts";
import { describeType, type FileStats } from "./stats.ts";

/** The error for a file that is being written while it is read. */
export function changed(shown: string): Error {
  const hint = "make every process that the step started end before the step ends";
  return refuse("output-changed", "it changed while it was read", { file: shown, hint });
}

/** The error for what is not of the type that belongs there. */
export function wrongType(shown: string, stats: FileStats, wanted: "file" | "directory"): Error {
  const hint = `put a ${wanted === "file" ? "plain file" : "directory"} there; links are not followed`;
  const message = `it is a ${describeType(stats)}, but must be a ${wanted}`;
  return refuse("output-file-type", message, { file: shown, hint });
}

/** An error of the system in words of ours, where it says something about the build. */
export function explain(shown: string, cause: unknown): unknown {
  const code = systemCode(cause);
  if (code === "EACCES" || code === "EPERM") {
    const hint = "make it readable for the user that builds (chmod), or build as root";
    return refuse("output-unreadable", "it cannot be read", { file: shown, hint, cause });
  }
  if (code === "ELOOP" || code === "ENOTDIR" || code === "ENXIO" || code === "ENODEV") {
    const hint =
      "put a plain file or directory there; links are not followed, and special files are not opened";
    const message = "it is not a plain file or directory";
    return refuse("output-file-type", message, { file: shown, hint, cause });
  }
  // Only where a path is all that can be said: elsewhere no path is longer than a name.
  if (code === "ENAMETOOLONG") {
    const hint =
      "write shorter or fewer directories, give the layer as a tar archive, or build on Linux";
    const message = "its path is longer than this system allows";
    return refuse("output-unreadable", message, { file: shown, hint, cause });
  }
  if (code === "ENOENT" || code === "ESTALE") return changed(shown);
  return cause;
}
