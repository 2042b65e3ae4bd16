import { join } from "node:path";
import { XbuildError } from "../../errors.ts";
import type { Digest } from "../../oci/oci.ts";
import { withLock, type LockOptions } from "../../system/lock.ts";
import { findUserDirectory } from "../../system/user-directory.ts";
import type { EngineWorkspace } from "../model.ts";
import type { ContainersCommands } from "./commands.ts";
import { dropName } from "./run-names.ts";

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
  await withNames(work, () => work.commands.tag(id, names));
}

/** The same for an image that may be gone: false then. */
export async function keepImage(
  id: Digest,
  names: readonly string[],
  work: NamingWorkspace,
): Promise<boolean> {
  try {
    await addNames(id, names, work);
    return true;
  } catch (error) {
    if (!(error instanceof XbuildError) || error.code !== "engine-failed") throw error;
    if ((await work.commands.findImage(id.replace("sha256:", ""))) !== undefined) throw error;
    return false;
  }
}

/** Does `action` while no other xbuild of this user changes names. Errors: `store-lock` */
export function withNames<T>(work: NamingWorkspace, action: () => Promise<T>): Promise<T> {
  return withLock(lockPath(), action, lockOptions(work));
}

/** Others may be there of runs that were killed twice. */
const maxDrops = 5;

/**
 * Takes names of a run away from what they stand for, which stays also where it has no other: an image without a name may
 * be one of a manifest list. The engines' `untag` and `rmi` do not do that for all (buildah 1.28 and podman 4.3 take no
 * name from a list, tried): an empty list takes the names over, and goes with them. Idempotent.
 * Errors: `engine-failed`, `store-lock`.
 */
export async function releaseNames(
  names: readonly string[],
  label: string,
  work: NamingWorkspace,
): Promise<void> {
  const { commands } = work;
  const released = [...names];
  await withHurriedLock(work, async () => {
    for (let index = 0; ; index += 1) {
      const name = dropName(label, index);
      try {
        const id = await commands.createList(name);
        await commands.tag(name, released);
        return await commands.removeWithNames(id);
      } catch (error) {
        if (index === maxDrops) throw error;
        released.push(name);
      }
    }
  });
}

/** Milliseconds that the clearing up waits for others: once the user is in a hurry, and where something else failed. */
const [patience, calm] = [2000, 60_000];

/** Takes names away, and images that then have none. Idempotent. Errors: `store-lock` where it had to wait too long. */
export async function dropNames(names: readonly string[], work: NamingWorkspace): Promise<void> {
  if (names.length === 0) return;
  await withHurriedLock(work, () => work.commands.removeImages(names));
}

/** With the lock for the clearing up, which is done also where the work was stopped. */
async function withHurriedLock(work: NamingWorkspace, action: () => Promise<void>): Promise<void> {
  const { signal } = work;
  const waiting = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const giveUp = (milliseconds: number): void => {
    timer = setTimeout(() => waiting.abort(signal.reason), milliseconds);
  };
  // What failed elsewhere has stopped the work: the user is in no hurry.
  const isCalm = (): boolean => signal.reason instanceof XbuildError;
  const hear = (): void => giveUp(isCalm() ? calm : 0);
  if (signal.aborted) giveUp(isCalm() ? calm : patience);
  else signal.addEventListener("abort", hear, { once: true });
  try {
    await withLock(lockPath(), action, { ...lockOptions(work), signal: waiting.signal });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", hear);
  }
}

function lockOptions({ reporter, signal }: EngineWorkspace): LockOptions {
  const onWait = (message: string): (() => void) => {
    reporter.warn({ code: "lock-busy", severity: "warning", message });
    return reporter.step("Waiting for another xbuild", { isBrief: true });
  };
  return { signal, onWait };
}

/** Where all processes of this user meet, whatever store they use. */
function lockPath(): string {
  return join(findUserDirectory(process.env), "names.lock");
}
