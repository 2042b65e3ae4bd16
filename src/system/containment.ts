import { execFile } from "node:child_process";
import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { readProcess } from "./process-identity.ts";

/**
 * Words to stand before a program, so that all that it starts ends with it: unshare(1) makes it the first process of
 * a PID namespace, and the kernel ends the others when that one ends (pid_namespaces(7)). Undefined where this
 * machine does not allow it. It is found out once.
 */
export function findContainment(): Promise<readonly string[] | undefined> {
  return (containment ??= probeContainment());
}

let containment: Promise<readonly string[] | undefined> | undefined;

const base = ["unshare", "--pid", "--fork", "--kill-child"];
/** In a container whose /proc is covered in part, no new one may be mounted. */
const candidates: readonly (readonly string[])[] = [[...base, "--mount-proc"], base];

async function probeContainment(): Promise<readonly string[] | undefined> {
  for (const words of candidates) if (await succeeds([...words, "true"])) return words;
  return undefined;
}

/**
 * Words to stand before a program, so that all that it mounts ends with it (mount_namespaces(7)). Undefined where this
 * machine does not allow it. It is found out once.
 */
export function findMountNamespace(): Promise<readonly string[] | undefined> {
  return (mountNamespace ??= succeeds([...apart, "true"]).then((can) => (can ? apart : undefined)));
}

let mountNamespace: Promise<readonly string[] | undefined> | undefined;

const apart = ["unshare", "--mount"];

function succeeds([program = "", ...args]: readonly string[]): Promise<boolean> {
  return new Promise((resolve) => {
    execFile(program, args, (error) => resolve(error === null));
  });
}

/** Milliseconds that processes are killed for; whoever forks faster than that is told of. */
const patience = 2000;

/**
 * Ends every process that has a mount of which this word (a directory's name that nothing else has) is a part.
 * @returns how many would not end
 */
export async function endProcessesOf(word: string): Promise<number> {
  const started = performance.now();
  for (;;) {
    const pids = listProcessesOf(word);
    if (pids.length === 0 || performance.now() - started > patience) return pids.length;
    for (const pid of pids) kill(pid);
    await sleep(20);
  }
}

function listProcessesOf(word: string): readonly number[] {
  return listProcesses()
    .filter((name) => Number(name) !== process.pid)
    .filter((name) => hasMount(name, word))
    .map(Number);
}

function listProcesses(): readonly string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name));
}

/** proc(5), /proc/PID/mountinfo. A process of our own mount namespace is none of a container. */
function hasMount(pid: string, word: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/mountinfo`, "utf8").includes(word);
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended, or is another user's.
  }
}

/**
 * Whether nothing runs any more in the PID namespace that an unshare(1) of this process ID has made but its first process
 * (`findContainment`), nor in one below it: what ran there cannot come back. False where that cannot be told. proc(5).
 */
export function isOnlyFirst(unshare: number): boolean {
  try {
    const own = readlinkSync("/proc/self/ns/pid");
    const made = readlinkSync(`/proc/${unshare}/ns/pid_for_children`);
    if (made === own) return false;
    const depth = countIds("self") + 1;
    return listProcesses().filter((pid) => mayRunIn(pid, { own, made, depth })).length === 1;
  } catch {
    return false;
  }
}

interface Namespaces {
  readonly own: string;
  readonly made: string;
  /** How many IDs a process has there. */
  readonly depth: number;
}

function mayRunIn(pid: string, { own, made, depth }: Namespaces): boolean {
  const namespace = readNamespace(pid);
  if (namespace === own || readProcess(pid) === undefined) return false;
  if (namespace === made) return true;
  // Of one that is deeper, or whose namespace is not for us to see, nobody says what that is below.
  const ids = countIds(pid);
  return namespace === undefined ? ids >= depth : ids > depth;
}

/** undefined where we may not see it. */
function readNamespace(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return undefined;
  }
}

/** In how many PID namespaces, each within the one before, it has an ID; 0 where it is gone. */
function countIds(pid: string): number {
  try {
    const lines = readFileSync(`/proc/${pid}/status`, "utf8").split("\n");
    const line = lines.find((one) => one.startsWith("NSpid:"));
    return line === undefined ? Number.POSITIVE_INFINITY : line.split("\t").length - 1;
  } catch {
    return 0;
  }
}
