import { fstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { systemCode } from "./errno.ts";

/** Why a file descriptor that a user names cannot be written to, or undefined where it can. */
export function assertWritable(fd: number): string | undefined {
  const notOpen = `the descriptor ${fd} is not open`;
  try {
    fstatSync(fd);
  } catch (error) {
    if (systemCode(error) === "EBADF" || error instanceof RangeError) return notOpen;
    throw error;
  }
  if (isOurs(fd)) return notOpen;
  return canWrite(fd) ? undefined : `the descriptor ${fd} is not open for writing`;
}

/**
 * Whether it is one that this program has opened for itself and the user cannot mean: what is written to the
 * pipes of the event loop ends the process. proc(5), /proc/PID/fd
 */
function isOurs(fd: number): boolean {
  const file = readlinkSync(`/proc/self/fd/${fd}`);
  if (file.startsWith("anon_inode:")) return true;
  if (!file.startsWith("pipe:")) return false;
  return listDescriptors().some((other) => isReadEnd(other, file));
}

function listDescriptors(): readonly number[] {
  return readdirSync("/proc/self/fd").map(Number);
}

/** Nobody else reads a pipe of which we have the other end, too. */
function isReadEnd(fd: number, pipe: string): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${fd}`) === pipe && !canWrite(fd);
  } catch {
    // The one that lists the others.
    return false;
  }
}

/** open(2), O_ACCMODE: 0 is O_RDONLY. proc(5), /proc/PID/fdinfo */
function canWrite(fd: number): boolean {
  const text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
  const flags = Number.parseInt(
    /^flags:\s*(?<flags>[0-7]+)/m.exec(text)?.groups?.["flags"] ?? "1",
    8,
  );
  return (flags & 0o3) !== 0;
}
