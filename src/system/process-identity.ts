import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/** A process that runs, as proc_pid_stat(5) has it. */
export interface RunningProcess {
  /** The ID of its process group. */
  readonly group: number;
  /** In clock ticks since boot: with its ID it tells a process from a later one with the same ID. */
  readonly start: string;
}

/** undefined where there is no such process, also for one that has ended and whose parent has not looked (a zombie). */
export function readProcess(pid: number | string): RunningProcess | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "latin1");
    // The second field is the program's name in parentheses and may hold anything; field 3 comes next.
    const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
    // Field 20 counts the threads: the first one may have ended while others run.
    const isOver = fields[0] === "Z" && Number(fields[17]) <= 1;
    return isOver ? undefined : { group: Number(fields[2]), start: fields[19] ?? "" };
  } catch {
    return undefined;
  }
}

/**
 * Who this process is, in a form for file names: process ID, start time, PID namespace, boot and
 * host. Nothing of it repeats together, so a name that carries it tells whether its maker still lives.
 */
export function identifyOwnProcess(): Promise<string> {
  identity ??= describeProcess();
  return identity;
}

let identity: Promise<string> | undefined;

/**
 * Whether the process of an identity lives: "unknown" where it is of another machine or another PID
 * namespace, of which we see nothing.
 */
export async function checkProcess(identityText: string): Promise<"alive" | "dead" | "unknown"> {
  const [pid = "", start = "", namespace = "", boot = "", host = ""] = identityText.split(".");
  const [, , ownNamespace, ownBoot, ownHost] = (await identifyOwnProcess()).split(".");
  if (boot !== ownBoot) return host === ownHost ? "dead" : "unknown";
  if (namespace !== ownNamespace) return "unknown";
  return readProcess(pid)?.start === start ? "alive" : "dead";
}

async function describeProcess(): Promise<string> {
  const start = readProcess(process.pid)?.start;
  const [namespace, boot] = await Promise.all([
    readlink("/proc/self/ns/pid").catch(() => ""),
    readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => ""),
  ]);
  const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
  return [process.pid, start ?? "0", digitsOf(namespace), boot.slice(0, 8), host].join(".");
}

function digitsOf(text: string): string {
  return text.replaceAll(/\D/g, "");
}
