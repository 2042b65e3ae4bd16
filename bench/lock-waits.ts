import { basename } from "node:path";
import type { Command } from "./measure.ts";

/** The same command, and in the file every call of flock(2), which takes our locks. */
export function traceLocks({ argv, env }: Command, file: string): Command {
  const flags = ["-f", "--seccomp-bpf", "-qq", "-T", "-y", "-e", "trace=flock", "-o", file];
  return { argv: ["strace", ...flags, ...argv], env };
}

// Others (boltdb, in skopeo) ask with LOCK_NB, and wait by themselves.
const begun =
  /^(?<pid>\d+) +flock\(\d+<(?<path>[^>]*)>, LOCK_EX(?:\).*<(?<seconds>[\d.]+)>| <unfinished \.\.\.>)$/;
const resumed = /^(?<pid>\d+) +<\.\.\. flock resumed>.*<(?<seconds>[\d.]+)>$/;

/** How long each lock was waited for, by its name: seconds of each call, from a trace of `traceLocks`. */
export function findWaits(trace: string): ReadonlyMap<string, readonly number[]> {
  const waits = new Map<string, number[]>();
  const open = new Map<string, string>();
  for (const line of trace.split("\n")) {
    const { pid = "", path, seconds } = (begun.exec(line) ?? resumed.exec(line))?.groups ?? {};
    const lock = path === undefined ? open.get(pid) : basename(path);
    if (lock === undefined) continue;
    open.delete(pid);
    if (seconds === undefined) open.set(pid, lock);
    else waits.set(lock, [...(waits.get(lock) ?? []), Number(seconds)]);
  }
  return waits;
}
