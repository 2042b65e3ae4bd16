import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Readable } from "node:stream";
import { execa } from "execa";
import type { Sandbox } from "./sandbox.ts";

/** How a run of the command ended. */
export interface Outcome {
  /** The exit status; undefined where a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
  /** Command lines of the engines and of skopeo, in the order in which they were started. */
  readonly calls: readonly string[];
  /** Those of them that build in an engine. */
  readonly builds: readonly string[];
}

export interface RunOptions {
  /** undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd?: string;
  readonly input?: string | Uint8Array | Readable;
  /** Mounts below the sandbox that the test made itself. */
  readonly allowMounts?: readonly string[];
}

/** A command that runs. */
export interface Started {
  readonly pid: number;
  /** Waits until its output has this text. @throws where it ends before */
  readonly says: (text: string) => Promise<void>;
  readonly signal: (name: NodeJS.Signals) => void;
  readonly stderr: NodeJS.ReadableStream;
  readonly ended: Promise<Outcome>;
}

/** The tool as its users run it: the bundle of `npm run build`, or that of XBUILD_TEST_MAIN. */
export const mainFile = resolve(process.env["XBUILD_TEST_MAIN"] ?? "dist/cli/main.js");

let runs = 0;

/** Runs `xbuild ARGS` to its end. */
export function runXbuild(
  sandbox: Sandbox,
  args: readonly string[],
  options: RunOptions = {},
): Promise<Outcome> {
  return startXbuild(sandbox, args, options).ended;
}

/** @throws with all that it said, where it ended otherwise. */
export function assertStatus(outcome: Outcome, status: number): void {
  if (outcome.status === status) return;
  throw new Error(
    `exit status ${outcome.status}, not ${status}:\n${outcome.stdout}\n${outcome.stderr}`,
  );
}

/** Starts `xbuild ARGS` in a process group of its own. */
export function startXbuild(
  sandbox: Sandbox,
  args: readonly string[],
  options: RunOptions = {},
): Started {
  runs += 1;
  const calls = join(sandbox.directory, `calls-${runs}`);
  const child = execa(process.execPath, [mainFile, ...args], {
    env: createEnvironment(sandbox, calls, options.env ?? {}),
    extendEnv: false,
    cwd: options.cwd ?? sandbox.directory,
    reject: false,
    detached: true,
    cleanup: true,
    stripFinalNewline: false,
    ...(options.input === undefined ? { stdin: "ignore" } : { input: options.input }),
  });
  const ended = child.then(async ({ exitCode, stdout, stderr }) => {
    const list = await takeCalls(calls);
    return { status: exitCode, stdout, stderr, calls: list, builds: list.filter(isBuild) };
  });
  const { pid } = child;
  if (pid === undefined) throw new Error("node could not be started");
  return {
    pid,
    says: (text) => waitForText(child.stdout, text, ended),
    signal: (name) => void process.kill(pid, name),
    stderr: child.stderr,
    ended,
  };
}

function isBuild(call: string): boolean {
  return /^(?:buildah|podman) (?:--\S+ )*build /.test(call) && !call.includes("--help");
}

function createEnvironment(
  sandbox: Sandbox,
  calls: string,
  given: Readonly<Record<string, string | undefined>>,
): Record<string, string> {
  const all = {
    ...sandbox.env,
    XBUILD_TEST_CALLS: calls,
    LANG: "C.UTF-8",
    TERM: "xterm",
    ...given,
  };
  const entries = Object.entries(all).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}

async function takeCalls(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8").catch(() => "");
  await rm(path, { force: true });
  return text.split("\n").filter((line) => line !== "");
}

function waitForText(
  stream: NodeJS.ReadableStream,
  text: string,
  ended: Promise<Outcome>,
): Promise<void> {
  let seen = "";
  return new Promise((found, fail) => {
    stream.on("data", (chunk: Uint8Array | string) => {
      seen += typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8");
      if (seen.includes(text)) found();
    });
    ended.then(
      (outcome) => fail(new Error(`it ended without saying "${text}": ${outcome.stderr}`)),
      fail,
    );
  });
}
