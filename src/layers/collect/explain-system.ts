import { XbuildError } from "../../errors.ts";
import { systemCode } from "../../system/errno.ts";

/** Where the machine has too little of something, that is no fault of the build. */
export function explainSystem(error: unknown): unknown {
  const code = systemCode(error);
  if (code === "EMFILE" || code === "ENFILE") return explainLimit(code, error);
  if (code !== "ENOSPC" && code !== "EDQUOT") return error;
  const hint =
    "free some space (xbuild cache prune removes what no tag needs), or set XBUILD_STORE";
  const message = `there is no space left for the layers (${code})`;
  return new XbuildError("store-full", message, { hint, cause: error });
}

function explainLimit(code: string, cause: unknown): XbuildError {
  const hint = "raise the limit of open files (ulimit -n 1024)";
  return new XbuildError("open-files-limit", `no more files may be opened (${code})`, {
    hint,
    cause,
  });
}
