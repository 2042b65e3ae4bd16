import { spawnSync } from "node:child_process";
import { fstatSync, type Stats, writeSync } from "node:fs";
import { systemCode } from "./errno.ts";
import type { Descriptors, Surroundings } from "./linux.ts";
import type { RunningProcess } from "./process-identity.ts";

/*
 * What stands in for linux.ts where there is no /proc: what POSIX has, and macOS. It is slower, so it is asked only there.
 */

/**
 * As `statProcess`, by ps(1): its start in seconds since 1970. Where no ps answers, who has this ID counts as the one who
 * is meant ("0").
 */
export function askProcess(pid: number | string): RunningProcess | undefined {
  if (!isThere(Number(pid))) return undefined;
  if (!canAsk()) return { group: 0, start: unknownStart };
  return runPs(pid);
}

const unknownStart = "0";

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // Another user's says EPERM.
    return systemCode(error) === "EPERM";
  }
}

let answers: boolean | undefined;

/** It says nothing both of one that has ended, and where it cannot work at all: then not even of us. */
function canAsk(): boolean {
  return (answers ??= runPs(process.pid) !== undefined);
}

function runPs(pid: number | string): RunningProcess | undefined {
  const words = ["-o", "pgid=", "-o", "stat=", "-o", "lstart=", "-p", String(pid)];
  const env = { ...process.env, LC_ALL: "C", TZ: "UTC" };
  const { status, stdout } = spawnSync("ps", words, { encoding: "utf8", env });
  const groups = status === 0 ? psLine.exec(stdout)?.groups : undefined;
  // A zombie has ended, and nobody has looked.
  if (groups === undefined || groups["state"]?.startsWith("Z") === true) return undefined;
  const time = Date.parse(`${groups["start"]} UTC`) / 1000;
  const start = Number.isNaN(time) ? unknownStart : String(time);
  return { group: Number(groups["group"]), start };
}

/** ps, POSIX.1-2017; `lstart` is of all systems. `  501 S+   Tue Jan  2 03:04:05 2024` */
const psLine = /^\s*(?<group>\d+)\s+(?<state>\S+)\s+(?<start>\S[^\n]*\S)\s*$/;

/** As `readSurroundings`: no namespaces, and of the boot what macOS says. */
export function askSurroundings(): Surroundings {
  const { status, stdout } = spawnSync("sysctl", ["-n", "kern.bootsessionuuid"], {
    encoding: "utf8",
  });
  const boot = status === 0 ? /^[0-9a-f]{8}/i.exec(stdout)?.[0] : undefined;
  return { namespace: "", boot: boot?.toLowerCase() ?? "" };
}

/** `/dev/fd/3`, `/dev/stdout`: what is a link into /proc on Linux is a device of its own elsewhere. */
export function namedDescriptor(path: string): number | undefined {
  const groups = /^\/dev\/(?:fd\/(?<fd>\d+)|(?<stream>stdin|stdout|stderr))$/.exec(path)?.groups;
  const stream = groups?.["stream"];
  if (stream !== undefined) return ["stdin", "stdout", "stderr"].indexOf(stream);
  return groups?.["fd"] === undefined ? undefined : Number(groups["fd"]);
}

/** More are not looked through for the other end of a pipe: the program's own are opened first. */
const mostDescriptors = 256;
/** inode(7), S_IFMT */
const typeBits = 0o170000;

export const plainDescriptors: Descriptors = {
  isOurs: (fd) => {
    const status = fstatSync(fd);
    // What the event loop waits with is no file of any type.
    if ((status.mode & typeBits) === 0) return true;
    if (!status.isFIFO()) return false;
    const others = Array.from({ length: mostDescriptors }, (_, other) => other);
    return others.some((other) => isReadEnd(other, status));
  },
  /** write(2) of nothing does nothing, and fails where it could not do more. */
  canWrite: (fd) => {
    try {
      writeSync(fd, Buffer.alloc(0));
      return true;
    } catch (error) {
      return systemCode(error) === "EAGAIN";
    }
  },
};

/** Nobody else reads a pipe of which we have the other end, too. */
function isReadEnd(fd: number, { dev, ino }: Stats): boolean {
  try {
    const status = fstatSync(fd);
    return status.ino === ino && status.dev === dev && !plainDescriptors.canWrite(fd);
  } catch {
    return false;
  }
}
