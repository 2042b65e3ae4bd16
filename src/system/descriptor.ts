import { fstatSync } from "node:fs";
import { systemCode } from "./errno.ts";
import { hasProc, procDescriptors } from "./linux.ts";
import { plainDescriptors } from "./portable.ts";

/**
 * Why a file descriptor that a user names cannot be written to, or undefined where it can. One that this program has
 * opened for itself no user can mean: what is written to the pipes of the event loop ends the process.
 */
export function assertWritable(fd: number): string | undefined {
  const notOpen = `the descriptor ${fd} is not open`;
  try {
    fstatSync(fd);
  } catch (error) {
    if (systemCode(error) === "EBADF" || error instanceof RangeError) return notOpen;
    throw error;
  }
  const { isOurs, canWrite } = hasProc() ? procDescriptors : plainDescriptors;
  if (isOurs(fd)) return notOpen;
  return canWrite(fd) ? undefined : `the descriptor ${fd} is not open for writing`;
}
