import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";

/** A machine on which there is no /proc and no flock, as on macOS, but for the kernel: a mount namespace of this one. */
export interface BareMachine {
  /** Starts a program there; its output is piped. */
  readonly start: (words: readonly string[], env?: NodeJS.ProcessEnv) => ChildProcess;
  /** Runs it to its end. */
  readonly run: (words: readonly string[], env?: NodeJS.ProcessEnv) => Promise<BareOutcome>;
}

export interface BareOutcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const apart = ["--mount", "--propagation", "private"];

/** Whether this user may make one. */
export function canMakeBare(): boolean {
  return spawnSync("unshare", [...apart, "mount", "-t", "tmpfs", "none", "/proc"]).status === 0;
}

/** What stands where a program is not to be. */
const flocks = ["/usr/bin/flock", "/bin/flock", "/usr/local/bin/flock"].filter((one) =>
  existsSync(one),
);

/** Linux's ps reads /proc itself. This one answers as macOS's does, of the true one, which is mounted elsewhere. */
const ps = String.raw`#!/bin/sh
[ "$*" = "-o pgid= -o stat= -o lstart= -p $8" ] && [ "$LC_ALL $TZ" = "C UTC" ] || exit 2
{ read -r line <"$BARE_PROC/$8/stat"; } 2>/dev/null || exit 1
set -- $(printf '%s' "$line" | sed 's/.*) //')
[ "$1" = Z ] && state=Z+ || state=S+
boot=$(sed -n 's/^btime //p' "$BARE_PROC/stat")
group=$3
shift 19
start=$(date -d "@$((boot + $1 / 100))" '+%a %b %e %H:%M:%S %Y')
printf '%5d %-4s %s\n' "$group" "$state" "$start"
`;

/** @param directory where its programs and the true /proc are kept; the caller's, and removed by him */
export function makeBareMachine(directory: string): BareMachine {
  const [bin, proc] = [join(directory, "bin"), join(directory, "proc")];
  mkdirSync(bin);
  mkdirSync(proc);
  writeFileSync(join(bin, "ps"), ps);
  chmodSync(join(bin, "ps"), 0o755);
  const script = [
    `mount --bind /proc ${proc}`,
    ...flocks.map((path) => `mount --bind /dev/null ${path}`),
    "mount -t tmpfs none /proc",
    'exec "$@"',
  ].join(" && ");
  const start: BareMachine["start"] = (words, env = process.env) => {
    const own = { ...env, PATH: `${bin}:${env["PATH"] ?? ""}`, BARE_PROC: proc };
    return spawn("unshare", [...apart, "sh", "-c", script, "sh", ...words], { env: own });
  };
  return { start, run: async (words, env) => awaitEnd(start(words, env)) };
}

/** What a program that was started says until it ends. */
export async function awaitEnd(child: ChildProcess): Promise<BareOutcome> {
  const status = new Promise<number | null>((resolve, reject) => {
    child.on("error", reject).on("close", resolve);
  });
  const [stdout, stderr] = await Promise.all([read(child.stdout), read(child.stderr)]);
  return { status: await status, stdout, stderr };
}

async function read(stream: Readable | null): Promise<string> {
  return stream === null ? "" : text(stream);
}
