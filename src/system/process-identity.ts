import { createHash } from "node:crypto";
import { hostname } from "node:os";
import { hasProc, readSurroundings, statProcess } from "./linux.ts";
import { askProcess, askSurroundings } from "./portable.ts";

/** A process that runs. */
export interface RunningProcess {
  /** The ID of its process group. */
  readonly group: number;
  /**
   * In clock ticks since boot, or in seconds since 1970: with its ID it tells a process from a later one with the same
   * ID.
   */
  readonly start: string;
}

/** undefined where there is no such process, also for one that has ended and whose parent has not looked (a zombie). */
export function readProcess(pid: number | string): RunningProcess | undefined {
  try {
    return statProcess(pid);
  } catch {
    return hasProc() ? undefined : askProcess(pid);
  }
}

/**
 * Who this process is, in a form for file names: process ID, start time, PID namespace, boot and
 * host. Nothing of it repeats together, so a name that carries it tells whether its maker still lives.
 */
export function identifyOwnProcess(): Promise<string> {
  return (identity ??= Promise.resolve(describeProcess()));
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
  // Where no boot is known, it may be another machine's.
  if (namespace !== ownNamespace || (boot === "" && host !== ownHost)) return "unknown";
  return readProcess(pid)?.start === start ? "alive" : "dead";
}

function describeProcess(): string {
  const start = readProcess(process.pid)?.start;
  const { namespace, boot } = readSurroundings() ?? askSurroundings();
  const host = createHash("sha256").update(hostname()).digest("hex").slice(0, 8);
  return [process.pid, start ?? "0", namespace, boot, host].join(".");
}
