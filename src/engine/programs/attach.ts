import { spawn, type ChildProcess } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { exitStatuses } from "../../errors.ts";
import type { ProgramInput } from "../model.ts";
import { notStarted } from "./run.ts";

/**
 * Runs a program with our own streams and terminal, in our process group, so that it behaves as if
 * we were not there; it is the one that answers Ctrl-C. @returns its exit status.
 */
export async function attachProgram(
  command: readonly string[],
  input: ProgramInput | undefined,
  env: Readonly<Record<string, string>> = {},
): Promise<number> {
  const [program = "", ...args] = command;
  const stdin = input === undefined ? undefined : openInput(input);
  const child = spawn(program, args, {
    stdio: [stdin ?? "inherit", "inherit", "inherit"],
    env: { ...process.env, ...env },
  });
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  process.on("SIGINT", waitForChild).on("SIGTERM", forward);
  try {
    return (await waitForEnd(program, child)) ?? exitStatuses.interrupted;
  } finally {
    process.off("SIGINT", waitForChild).off("SIGTERM", forward);
    if (stdin !== undefined) closeSync(stdin);
  }
}

/** The exit status, or null where a signal ended it. */
function waitForEnd(program: string, child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.on("close", resolve);
    child.on("error", (error) => reject(notStarted(program, { originalMessage: error.message })));
  });
}

/**
 * A file, else a nameless one of these bytes, to be read from its beginning. Node's own pipes are sockets, and engines open
 * `/dev/stdin`, which Linux refuses for a socket.
 */
function openInput(input: ProgramInput): number {
  if (!(input instanceof Uint8Array)) return openSync(input.path, "r");
  const directory = mkdtempSync(join(tmpdir(), "xbuild-"));
  try {
    const file = openSync(join(directory, "input"), "wx+", 0o600);
    // At a position: the file's own stays at its beginning.
    writeSync(file, input, 0, input.byteLength, 0);
    return file;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** Ctrl-C reaches the engine as well: its exit status is the answer. */
function waitForChild(): void {
  // Nothing to do here.
}
