import { basename } from "node:path";
import { endProcessesOf, findContainment, findMountNamespace } from "../../system/containment.ts";
import type { CallContext } from "./commands.ts";
import { streamProgram, type RunResult, type StreamOptions } from "../programs/run.ts";

type ContainedOptions = StreamOptions & Pick<CallContext, "directory" | "warn" | "onContained">;

/**
 * Runs a program, and ends whatever it has left behind: a process that a step started in the background could
 * otherwise write to the step's output while that is read. Where no PID namespace can be had, those processes are
 * looked for by their mounts of the run's directory.
 */
export async function runContained(
  command: readonly string[],
  options: ContainedOptions,
): Promise<RunResult> {
  const containment = await findContainment();
  if (containment !== undefined) {
    const started = async (pid: number): Promise<void> => {
      options.onContained?.(pid);
      await options.started?.(pid);
    };
    return streamProgram([...containment, ...command], { ...options, started });
  }
  const result = await streamProgram(command, options);
  const left = await endProcessesOf(basename(options.directory));
  if (left > 0) options.warn?.(describeLeft(left));
  return result;
}

/** Begins what running a program takes, while something else is waited for. */
export function expectContained(): void {
  void findContainment();
  // Where it cannot be had, whoever needs it says so.
  void import("execa").catch(() => undefined);
}

/**
 * Runs a program in a mount namespace of its own, where one can be had: what it mounts is gone with it, also where it
 * is killed (buildah 1.44 mounts an overlay over the build context and would leave it).
 */
export async function runApart(
  command: readonly string[],
  options: StreamOptions,
): Promise<RunResult> {
  const { interrupt } = options;
  const [program = ""] = command;
  return streamProgram([...((await findMountNamespace()) ?? []), ...command], {
    ...options,
    // unshare(1) becomes the program.
    ...(interrupt && { interrupt: (running) => interrupt({ ...running, program }) }),
  });
}

function describeLeft(count: number): Parameters<NonNullable<CallContext["warn"]>>[0] {
  const processes = count === 1 ? "a process" : `${count} processes`;
  return {
    code: "step-processes",
    severity: "warning",
    message: `${processes} that the layering steps started could not be ended, and may still write to the output`,
    hint: "make every process that a step starts end before the step ends",
  };
}
