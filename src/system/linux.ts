import { spawn } from "node:child_process";
import { constants, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { systemCode } from "./errno.ts";
import type { RunningProcess } from "./process-identity.ts";

/*
 * What Linux has and other systems lack: proc(5), files without a name, flock(1). `portable.ts` has what stands in for it
 * elsewhere, lock-tickets.ts the lock. Whoever needs one of both asks `hasProc`; that is the one decision. Linux's alone,
 * without anything beside it, are containment.ts and what is the engines' own.
 */

let isProcThere: boolean | undefined;

/** Whether /proc says what this process has open. It is looked at once, by the first who needs to know. */
export function hasProc(): boolean {
  return (isProcThere ??= process.platform === "linux" && existsSync("/proc/self/fd"));
}

/** What leads to an open file or directory, whatever stands at its old path. proc(5), /proc/PID/fd */
export function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}

/** Flags of open(2) that Node's constants do not have. On other systems these bits mean something else. */
export const linuxFlags = {
  /** A file that never gets a name: O_TMPFILE, of which the rest is O_DIRECTORY. */
  nameless: 0o20000000 | constants.O_DIRECTORY,
  /** A mere handle, for which nothing but the path to it must be accessible: O_PATH. */
  handle: 0o10000000,
} as const;

/** proc_pid_stat(5). Undefined where there is none, and where it has ended and nobody has looked (a zombie). */
export function statProcess(pid: number | string): RunningProcess | undefined {
  const text = readFileSync(`/proc/${pid}/stat`, "latin1");
  // The second field is the program's name in parentheses and may hold anything; field 3 comes next.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  // Field 20 counts the threads: the first one may have ended while others run.
  const isOver = fields[0] === "Z" && Number(fields[17]) <= 1;
  return isOver ? undefined : { group: Number(fields[2]), start: fields[19] ?? "" };
}

/** Within what start times and process IDs are to be compared; a part that is not known is empty. */
export interface Surroundings {
  /** The number of the PID namespace. */
  readonly namespace: string;
  /** Hexadecimal digits that no other boot has, of whatever machine. */
  readonly boot: string;
}

/** proc(5). Undefined where it says nothing. */
export function readSurroundings(): Surroundings | undefined {
  const namespace = orNothing(() => readlinkSync("/proc/self/ns/pid"));
  const boot = orNothing(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8"));
  if (namespace === "" && boot === "") return undefined;
  return { namespace: namespace.replaceAll(/\D/g, ""), boot: boot.slice(0, 8) };
}

/** Whose ids ours are: user_namespaces(7). Empty where there are no such namespaces. */
export function readIdMap(name: "uid_map" | "gid_map"): string {
  return orNothing(() => readFileSync(`/proc/self/${name}`, "utf8"));
}

function orNothing(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}

/** The descriptor that a path, links followed, stands for, if it is one of this process. proc(5), /proc/PID/fd */
export function descriptorAt(path: string): number | undefined {
  const groups = /^\/proc\/(?<pid>\d+)\/(?:task\/\d+\/)?fd\/(?<fd>\d+)$/.exec(path)?.groups;
  return groups?.["pid"] === String(process.pid) ? Number(groups["fd"]) : undefined;
}

/** What is told of the descriptors of this process. */
export interface Descriptors {
  /** Whether it is one that this program has opened for itself and no user can mean. */
  readonly isOurs: (fd: number) => boolean;
  readonly canWrite: (fd: number) => boolean;
}

export const procDescriptors: Descriptors = {
  isOurs: (fd) => {
    const file = readlinkSync(descriptorPath(fd));
    if (file.startsWith("anon_inode:")) return true;
    if (!file.startsWith("pipe:")) return false;
    return readdirSync("/proc/self/fd").some((other) => isReadEnd(Number(other), file));
  },
  /** open(2), O_ACCMODE: 0 is O_RDONLY. proc(5), /proc/PID/fdinfo */
  canWrite: (fd) => {
    const text = readFileSync(`/proc/self/fdinfo/${fd}`, "utf8");
    const octal = /^flags:\s*(?<flags>[0-7]+)/m.exec(text)?.groups?.["flags"] ?? "1";
    return (Number.parseInt(octal, 8) & 0o3) !== 0;
  },
};

/** Nobody else reads a pipe of which we have the other end, too. */
function isReadEnd(fd: number, pipe: string): boolean {
  try {
    return readlinkSync(descriptorPath(fd)) === pipe && !procDescriptors.canWrite(fd);
  } catch {
    // The one that lists the others.
    return false;
  }
}

/** By PATH, and where it stands on every Linux: two of one machine must not take their locks in two ways. */
const flockPrograms = ["flock", "/usr/bin/flock", "/bin/flock"];

/** A failure is in the program's words. */
export type FlockOutcome = "taken" | "no program" | { readonly failure: string };

/**
 * Takes the lock (flock(2)) of an open file, and waits for it: flock(1) takes it for the file that it inherits, and is gone
 * again. The signal ends the waiting. Errors: those of spawning.
 */
export async function takeFlock(fd: number, signal?: AbortSignal): Promise<FlockOutcome> {
  if (process.platform !== "linux") return "no program";
  for (const program of flockPrograms) {
    const outcome = await runFlock(program, fd, signal);
    if (outcome !== "no program") return outcome;
  }
  return "no program";
}

async function runFlock(program: string, fd: number, signal?: AbortSignal): Promise<FlockOutcome> {
  // A session of its own, or Ctrl-C would end it before we hear of it.
  const child = spawn(program, ["-x", "3"], {
    stdio: ["ignore", "ignore", "pipe", fd],
    detached: true,
  });
  const messages: string[] = [];
  child.stderr?.setEncoding("utf8").on("data", (text: string) => messages.push(text));
  const stop = (): void => void child.kill("SIGKILL");
  signal?.addEventListener("abort", stop, { once: true });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on("error", reject).on("close", resolve);
    });
    return code === 0 ? "taken" : { failure: messages.join("").trim() };
  } catch (error) {
    if (["ENOENT", "EACCES"].includes(systemCode(error) ?? "")) return "no program";
    throw error;
  } finally {
    signal?.removeEventListener("abort", stop);
  }
}
