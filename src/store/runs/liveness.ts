import { randomUUID } from "node:crypto";
import { readdir, rename, stat } from "node:fs/promises";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { ifPresent } from "../../system/errno.ts";
import { checkProcess, identifyOwnProcess } from "../../system/process-identity.ts";
import { explainFailures } from "../layout/failures.ts";
import { temporaryDirectory, type Store } from "../layout/paths.ts";
import { readNotes, removeWork, type Note } from "./run-directory.ts";

/** A run whose process is dead. It is this process's to clean up, and no other's. */
export interface DeadRun {
  readonly id: string;
  readonly directory: string;
  /** In the order in which they were written. */
  readonly notes: readonly Note[];
  /** Removes its directory, as `Run.end` does: to be called when what the notes say is cleaned up. */
  remove(): Promise<void>;
}

/** That something is left of runs that were killed. */
export interface DeadRuns {
  /**
   * Makes those that are still there this process's, so that the caller cleans up after them; what they left without
   * a note is removed here. A claim ends with its process: then the next caller has them again.
   */
  claim(): Promise<readonly DeadRun[]>;
}

/** Whether a run was killed, or something of one is left: a question that costs next to nothing. */
export async function findDeadRuns(store: Store): Promise<DeadRuns | undefined> {
  const names = await explainFailures(store.directory, () => listDead(store));
  return names.length === 0 ? undefined : { claim: () => claimRuns(store) };
}

/** The directories of runs that live (or may live) at this moment. */
export async function listLiveRuns(store: Store): Promise<readonly string[]> {
  const directory = temporaryDirectory(store);
  const names = (await ifPresent(readdir(directory))) ?? [];
  const dead = new Set(await listDead(store));
  return names
    .filter((name) => runName.test(name) && !dead.has(name))
    .map((name) => join(directory, name));
}

/** When the oldest run that lives (or may live) began, in milliseconds since 1970. */
export async function findOldestRun(store: Store): Promise<number | undefined> {
  const runs = await listLiveRuns(store);
  const found = await Promise.all(runs.map((directory) => ifPresent(stat(directory))));
  const times = found.flatMap((status) => (status === undefined ? [] : [bornAt(status)]));
  return times.length === 0 ? undefined : Math.min(...times);
}

/** Not every file system keeps it. */
function bornAt({ birthtimeMs, ctimeMs }: Stats): number {
  return birthtimeMs > 0 ? birthtimeMs : ctimeMs;
}

/** Runs of which we cannot tell whether they live (another host, another container) die after a day. */
const unknownRunLife = 24 * 60 * 60 * 1000;
const runName = /^run-/;
const temporaryName = /^(?:run|claim|file|trash|state)-([0-9a-f.]+)-[0-9a-f-]+$/;

async function listDead(store: Store): Promise<readonly string[]> {
  const directory = temporaryDirectory(store);
  const names = (await ifPresent(readdir(directory))) ?? [];
  const states = await Promise.all(names.map((name) => isDead(directory, name)));
  return names.filter((_, index) => states[index]);
}

async function isDead(directory: string, name: string): Promise<boolean> {
  const identity = temporaryName.exec(name)?.[1];
  // What no xbuild made is left alone.
  if (identity === undefined) return false;
  const state = await checkProcess(identity);
  if (state !== "unknown") return state === "dead";
  const status = await ifPresent(stat(join(directory, name)));
  return status !== undefined && Date.now() - status.mtimeMs > unknownRunLife;
}

async function claimRuns(store: Store): Promise<readonly DeadRun[]> {
  return explainFailures(store.directory, async () => {
    const claims = (await listDead(store)).map((name) => claimRun(store, name));
    const claimed = (await Promise.all(claims)).filter((run) => run !== undefined);
    const silent = claimed.filter((run) => run.notes.length === 0);
    for (const run of silent) await run.remove();
    return claimed.filter((run) => run.notes.length > 0);
  });
}

/** Removes what dead runs left that have no note: nothing else is to be cleaned up after them. */
export function removeSilentRuns(store: Store): Promise<void> {
  return explainFailures(store.directory, async () => {
    for (const name of await listDead(store)) {
      const notes = await readNotes(join(temporaryDirectory(store), name));
      const run = notes.length === 0 ? await claimRun(store, name) : undefined;
      await run?.remove();
    }
  });
}

async function claimRun(store: Store, name: string): Promise<DeadRun | undefined> {
  const id = `${await identifyOwnProcess()}-${randomUUID()}`;
  const directory = join(temporaryDirectory(store), `claim-${id}`);
  // Of several who try, one succeeds.
  const claimed = await ifPresent(
    rename(join(temporaryDirectory(store), name), directory).then(() => true),
  );
  if (claimed === undefined) return undefined;
  const notes = await readNotes(directory);
  return { id: name, directory, notes, remove: () => removeWork(store, directory) };
}
