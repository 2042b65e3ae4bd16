import { join } from "node:path";
import { withLock, type LockOptions } from "../../system/lock.ts";
import { findUserDirectory } from "../../system/user-directory.ts";
import type { EngineWorkspace } from "../model.ts";
import type { ContainersCommands } from "./commands.ts";

/** The commands, and who is told and listened to while they wait. */
export interface NamingWorkspace extends EngineWorkspace {
  readonly commands: ContainersCommands;
}

/**
 * Gives names to an image in the engine's storage. The engines read an image's list of names and write
 * it back whole: two at once lose a name, or bring one back (tried with buildah 1.28), so every xbuild of
 * this user waits for the others here.
 */
export async function addNames(
  id: string,
  names: readonly string[],
  work: NamingWorkspace,
): Promise<void> {
  if (names.length === 0) return;
  await withLock(lockPath(), () => work.commands.tag(id, names), lockOptions(work));
}

/** Milliseconds that the clearing up waits for others, once the user is in a hurry. */
const patience = 2000;

/** Takes names away, and images that then have none. Idempotent. Errors: `store-lock` where it had to wait too long. */
export async function dropNames(names: readonly string[], work: NamingWorkspace): Promise<void> {
  if (names.length === 0) return;
  const { commands, signal } = work;
  const options = lockOptions(work);
  const hurried = signal.aborted ? { ...options, signal: AbortSignal.timeout(patience) } : options;
  await withLock(lockPath(), () => commands.removeImages(names), hurried);
}

function lockOptions({ reporter, signal }: EngineWorkspace): LockOptions {
  const onWait = (message: string): void =>
    reporter.warn({ code: "lock-busy", severity: "warning", message });
  return { signal, onWait };
}

/** Where all processes of this user meet, whatever store they use. */
function lockPath(): string {
  return join(findUserDirectory(process.env), "names.lock");
}
