import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { readProcess } from "../../system/process-identity.ts";

/** How long an interrupted engine may clean up before it is killed, in milliseconds. */
const graceTime = 10_000;
/** How long a step may do so. */
const stepGraceTime = 2_000;
const pollTime = 100;

/** A program that leads a process group of its own, and the promise that it has ended. */
export interface RunningProgram {
  readonly pid: number;
  readonly program: string;
  readonly ended: Promise<unknown>;
}

/** Sends a signal to all processes of a group. Idempotent: a group that has ended is left alone. */
export function signalGroup(pid: number, signal: NodeJS.Signals): void {
  sendSignal(-pid, signal);
}

/** Interrupts a program with all that it started; kills them where they have not ended in time. */
export function interruptGroup({ pid, ended }: RunningProgram): void {
  signalGroup(pid, "SIGINT");
  const timer = setTimeout(() => signalGroup(pid, "SIGKILL"), graceTime);
  void ended.finally(() => clearTimeout(timer));
}

/**
 * Interrupts what a program started, and not the program itself, so that it sees its step fail and
 * cleans up: podman that is interrupted ends at once and leaves its working container.
 */
export function interruptSteps(running: RunningProgram): void {
  const { pid, ended } = running;
  const started = Date.now();
  const poll = setInterval(() => {
    const time = Date.now() - started;
    if (time > graceTime) signalGroup(pid, "SIGKILL");
    else for (const step of listSteps(running)) sendSignal(step, stepSignal(time));
  }, pollTime);
  void ended.finally(() => clearInterval(poll));
}

function stepSignal(time: number): NodeJS.Signals {
  return time > stepGraceTime ? "SIGKILL" : "SIGINT";
}

/** What tells a process from a later one with the same ID: its ID and its start (proc(5), stat). */
export function identifyProcess(pid: number): string | undefined {
  const start = readProcess(pid)?.start;
  return start === undefined ? undefined : `${pid}.${start}`;
}

/** Ends a process group whose starter died, where it still runs. Idempotent. */
export async function stopOrphan(identity: string): Promise<void> {
  const pid = Number(identity.split(".", 1)[0]);
  const lives = (): boolean => identifyProcess(pid) === identity;
  if (!lives()) return;
  signalGroup(pid, "SIGINT");
  for (let time = 0; lives() && time < graceTime; time += pollTime) await wait(pollTime);
  if (lives()) signalGroup(pid, "SIGKILL");
}

/** The group's processes, the program and what it is when it starts itself again left out. */
function listSteps({ pid, program }: RunningProgram): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((one) => one !== pid && readProcess(one)?.group === pid && readName(one) !== program);
}

function readName(pid: number): string {
  try {
    return basename(readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0", 1)[0] ?? "");
  } catch {
    return "";
  }
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended already.
  }
}
