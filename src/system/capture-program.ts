export interface ProgramCall {
  readonly cwd: string;
  /** Its whole environment. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input?: Uint8Array | undefined;
  readonly signal: AbortSignal;
  /** More bytes of either stream are an error, EFBIG. */
  readonly longest: number;
}

export interface ProgramOutcome {
  /** Undefined where a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/**
 * Runs a program to its end and keeps what it says. Undefined where there is no such program. Errors: those of the
 * system, the signal's reason.
 */
export async function captureProgram(
  [program = "", ...args]: readonly string[],
  { cwd, env, input, signal, longest }: ProgramCall,
): Promise<ProgramOutcome | undefined> {
  const { execa } = await import("execa");
  const result = await execa(program, args, {
    cwd,
    env,
    extendEnv: false,
    reject: false,
    encoding: "buffer",
    stripFinalNewline: false,
    maxBuffer: longest,
    cancelSignal: signal,
    forceKillAfterDelay: 5000,
    ...(input === undefined ? { stdin: "ignore" } : { input }),
  });
  signal.throwIfAborted();
  if (result.code === "ENOENT") return undefined;
  if (result.isMaxBuffer)
    throw Object.assign(new Error(`${program} says too much`), { code: "EFBIG" });
  if (result.exitCode === undefined && result.signal === undefined) throw result.cause;
  return {
    status: result.exitCode,
    stdout: Buffer.from(result.stdout),
    stderr: Buffer.from(result.stderr),
  };
}
