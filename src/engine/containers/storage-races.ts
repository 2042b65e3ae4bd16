import { setTimeout as sleep } from "node:timers/promises";
import type { Diagnostic } from "../../diagnostics.ts";
import { hasInOrder } from "../../text.ts";
import type { CallContext } from "./commands.ts";
import type { RunResult } from "./run.ts";

/** How often a build is begun in all, and milliseconds before the second time; twice as many before each further one. */
const attempts = 5;
const firstPause = 200;

/**
 * The engines look through all images of the storage for a step that was built before, and end the build where
 * another process removes one meanwhile (tried with buildah 1.28: "getting top layer info: layer not known"), or one
 * that was just found. There is no status for it. No step has failed then, and those before are in the cache: the build
 * goes on where it was.
 */
export async function pastStorageRaces(
  run: () => Promise<RunResult>,
  { signal, warn }: Pick<CallContext, "signal" | "warn">,
): Promise<RunResult> {
  for (let attempt = 1; ; attempt += 1) {
    const result = await run();
    if (!isStorageRace(result) || attempt === attempts) return result;
    warn?.(storageBusy);
    await sleep(firstPause * 2 ** (attempt - 1), undefined, { signal });
  }
}

/** What is told before it is tried again. */
export const storageBusy: Diagnostic = {
  code: "engine-storage-busy",
  severity: "warning",
  message: "an image was removed while the engine looked for steps that it has: trying again",
};

/** What an engine was at: never a step itself. */
const lookingUp =
  /checking if cached image exists from a previous build|preparing container for next step|creating build container|getting history of base image|mounting new container/;

/** Whether a build ended because an image went away beside it. */
export function isStorageRace({ status, tail }: RunResult): boolean {
  if (status === 0) return false;
  return tail
    .split("\n")
    .some(
      (line) =>
        line.startsWith("Error: ") && hasInOrder(line, lookingUp, /(?:image|layer) not known/),
    );
}
