import { join } from "node:path";
import { withLock, type LockOptions } from "../system/lock.ts";
import { findUserDirectory } from "../system/user-directory.ts";
import type { BuildPorts } from "./request.ts";

type Ports = Pick<BuildPorts, "engine" | "reporter" | "signal">;

/**
 * Gives names to an image in the engine's storage. The engines read an image's list of names and write
 * it back whole: two at once lose a name, or bring one back (tried with buildah 1.28), so every xbuild of
 * this user waits for the others here.
 */
export async function addNames(ports: Ports, id: string, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await withLock(lockPath(), () => ports.engine.tag(id, names), lockOptions(ports));
}

/** Milliseconds that the clearing up waits for others, once the user is in a hurry. */
const patience = 2000;

/** Takes names away, and images that then have none. Idempotent. Errors: `store-lock` where it had to wait too long. */
export async function dropNames(ports: Ports, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const { engine, signal } = ports;
  const options = lockOptions(ports);
  const hurried = signal.aborted ? { ...options, signal: AbortSignal.timeout(patience) } : options;
  const drop = async (): Promise<void> => {
    // One by one: a name that is not there ends the engine's call.
    for (const name of names) await engine.removeImages([name]);
  };
  await withLock(lockPath(), drop, hurried);
}

function lockOptions({ reporter, signal }: Ports): LockOptions {
  const onWait = (message: string): void =>
    reporter.warn({ code: "lock-busy", severity: "warning", message });
  return { signal, onWait };
}

/** Where all processes of this user meet, whatever store they use. */
function lockPath(): string {
  return join(findUserDirectory(process.env), "names.lock");
}
