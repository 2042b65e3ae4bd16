import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { systemCode } from "./errno.ts";
import { createTinyProgram } from "./tiny-program.ts";

const programName = "program";

const known = new Map<string, Promise<boolean | undefined>>();

/**
 * Whether this machine runs Linux programs of an architecture (as Go calls it), by itself or with an emulator: a tiny
 * one is run, once in this process. undefined where that cannot be found out.
 * @param directories where it may be written, in this order: some allow no programs
 */
export function canRun(
  architecture: string,
  directories: readonly string[] = [tmpdir(), "/dev/shm", "/var/tmp"],
): Promise<boolean | undefined> {
  const answer = known.get(architecture) ?? tryProgram(architecture, directories);
  known.set(architecture, answer);
  return answer;
}

async function tryProgram(
  architecture: string,
  directories: readonly string[],
): Promise<boolean | undefined> {
  const program = createTinyProgram(architecture);
  if (program === undefined || process.platform !== "linux") return undefined;
  for (const directory of directories) {
    const answer = await tryIn(directory, program);
    if (answer !== undefined) return answer;
  }
  return undefined;
}

/** undefined where a program cannot be written there, or not be run. */
async function tryIn(parent: string, program: Uint8Array): Promise<boolean | undefined> {
  let directory: string | undefined;
  try {
    directory = await mkdtemp(join(parent, "xbuild-"));
    await writeFile(join(directory, programName), program, { mode: 0o700 });
    return await runAgain(directory);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  } finally {
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  }
}

const attempts = 20;

/** Another thread may be between fork and exec, the file still open for writing: it is soon past that. */
async function runAgain(directory: string): Promise<boolean | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await runProgram(directory);
    if (outcome !== "ETXTBSY") return explainOutcome(outcome);
    if (attempt === attempts) return undefined;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** EACCES: the file system, or a policy, allows no programs. All else is what a foreign program comes to. */
function explainOutcome(outcome: number | string | null): boolean | undefined {
  return outcome === "EACCES" || outcome === "EPERM" ? undefined : outcome === 0;
}

/**
 * Its exit status (null for a signal), or the system's code where it does not start. The C library gives what the system
 * does not run to a shell, which takes it for a script: that finds no program, and what it may write is in there.
 */
function runProgram(directory: string): Promise<number | string | null> {
  return new Promise((resolve) => {
    const options = { cwd: directory, env: { PATH: "/nonexistent" }, stdio: "ignore" } as const;
    const child = spawn(join(directory, programName), [], options);
    child.on("error", (error) => resolve(systemCode(error) ?? "unknown"));
    child.on("exit", (status) => resolve(status));
  });
}
