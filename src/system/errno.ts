/** The code of a system error (ENOENT, ...), or undefined for any other value. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/** The result, or undefined where the file or directory is not there. */
export async function ifPresent<T>(result: Promise<T>): Promise<T | undefined> {
  try {
    return await result;
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw error;
  }
}

/** Does without what the system refuses: for what is better done and may be left. */
export async function tolerate(action: Promise<unknown>): Promise<void> {
  try {
    await action;
  } catch (error) {
    // In an error of ours the system's is the cause.
    const cause = error instanceof Error ? error.cause : undefined;
    if ((systemCode(error) ?? systemCode(cause)) === undefined) throw error;
  }
}
