import type { BuildKitClient } from "./client.ts";

/** How long an answer may take, in milliseconds. */
const answerTime = 20_000;

/**
 * Whether a builder answers now. A client that waits for one would not learn that its machine is gone: gRPC leaves that to
 * the system, which waits for two hours. @param signal ends the question
 */
export async function isThere(
  { describe, program }: BuildKitClient,
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<boolean> {
  if (signal.aborted) return false;
  const { execa } = await import("execa");
  const [name = "", ...args] = describe;
  const { exitCode, stdout } = await execa(name, args, {
    reject: false,
    stdin: "ignore",
    timeout: answerTime,
    cancelSignal: signal,
    env,
  });
  // buildx says what it knows of a builder that it cannot reach, and ends well.
  return exitCode === 0 && (program === "buildctl" || /^Status: +running$/m.test(stdout));
}
