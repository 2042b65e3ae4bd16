import { randomUUID } from "node:crypto";
import { appendFile, mkdir, readdir, readFile, rename, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Digest, Image } from "../../oci/oci.ts";
import { isDigest } from "../../oci/oci.ts";
import { tryParseJson } from "../../oci/oci.ts";
import { explainFailures } from "../layout/failures.ts";
import { ifPresent } from "../../system/errno.ts";
import { lockStore } from "../layout/access.ts";
import { ensureLayout } from "../layout/layout.ts";
import { makePrivateDirectory } from "../../system/private-directory.ts";
import { blobPath, temporaryDirectory, type Store } from "../layout/paths.ts";
import { checkProcess, identifyOwnProcess } from "../../system/process-identity.ts";

export interface Note {
  readonly key: string;
  readonly value: string;
}

/** One build's private directory in the store; it lives as long as the process does. */
export interface Run {
  readonly store: Store;
  /** Part of the directory's name: letters, digits, dots and dashes. */
  readonly id: string;
  readonly directory: string;
  /** Where finished blobs are put as `<hex>`. */
  readonly staging: string;
  /** For the `/layers` directories. */
  readonly layers: string;
  /** Writes down what a later run must clean up if this one is killed. */
  note(key: string, value: string): Promise<void>;
  /** Keeps an image and its layers from being pruned until the run ends; false where it is gone already. */
  hold(image: Image): Promise<boolean>;
  /** Empties `layers` and `staging`: what the build wrote is collected, or of no use, and takes room. */
  discardWork(): Promise<void>;
  /** Lets the directory stay for the next cleaner, who reads the notes: `end` does nothing then. */
  leave(): void;
  /** Removes the directory. What cannot be removed the store is told of; it is the next cleaner's. */
  end(): Promise<void>;
}

/** A run whose process is dead. It is this process's to clean up, and no other's. */
export interface DeadRun {
  readonly id: string;
  readonly directory: string;
  /** In the order in which they were written. */
  readonly notes: readonly Note[];
  /** Removes its directory, as `Run.end` does: to be called when what the notes say is cleaned up. */
  remove(): Promise<void>;
}

/** Runs of which we cannot tell whether they live (another host, another container) die after a day. */
const unknownRunLife = 24 * 60 * 60 * 1000;
const runName = /^run-/;
const temporaryName = /^(?:run|claim|file|trash|state)-([0-9a-f.]+)-[0-9a-f-]+$/;

/**
 * Makes a private directory for a run: what containers write lies in it, under directories that no other user
 * can enter. Errors: `store-full`, `store-not-writable`.
 */
export async function beginRun(store: Store): Promise<Run> {
  return explainFailures(store.directory, async () => {
    await ensureLayout(store);
    const id = `${await identifyOwnProcess()}-${randomUUID()}`;
    const directory = join(temporaryDirectory(store), `run-${id}`);
    await mkdir(directory, { mode: 0o700 });
    const [staging, layers] = [join(directory, "staging"), join(directory, "layers")];
    await Promise.all([makePrivateDirectory(staging), makePrivateDirectory(layers)]);
    const state = { isLeft: false };
    return {
      store,
      id,
      directory,
      staging,
      layers,
      note: (key, value) =>
        explainFailures(store.directory, () => appendNote(directory, key, value)),
      hold: (image) => holdImage(store, directory, image),
      discardWork: async () => {
        for (const path of [layers, staging]) {
          await removeWork(store, path);
          await makePrivateDirectory(path);
        }
      },
      leave: () => {
        state.isLeft = true;
      },
      end: async () => {
        if (!state.isLeft) await removeWork(store, directory);
      },
    };
  });
}

/** Something left behind may still write there, or the user may be in a hurry: no reason to fail. */
async function removeWork(store: Store, directory: string): Promise<void> {
  // A build that is up to date has no run, and loads nothing of this.
  const { removeTree } = await import("../../system/remove-tree.ts");
  const reason = await removeTree(directory, { signal: store.signal });
  if (reason !== undefined) store.onLeftover?.(directory, reason);
}

function appendNote(directory: string, key: string, value: string): Promise<void> {
  return appendFile(notesPath(directory), `${JSON.stringify([key, value])}\n`, { mode: 0o600 });
}

/**
 * Claims the runs whose processes died, so that the caller cleans up after them; what they left without
 * a note is removed here. A claim ends with its process: then the next caller has them again.
 */
export async function listDeadRuns(store: Store): Promise<readonly DeadRun[]> {
  return explainFailures(store.directory, async () => {
    const claims = (await listDead(store)).map((name) => claimRun(store, name));
    const claimed = (await Promise.all(claims)).filter((run) => run !== undefined);
    const silent = claimed.filter((run) => run.notes.length === 0);
    for (const run of silent) await run.remove();
    return claimed.filter((run) => run.notes.length > 0);
  });
}

/** Whether a run was killed, or something of one is left: a question that costs next to nothing. */
export async function hasDeadRuns(store: Store): Promise<boolean> {
  return explainFailures(store.directory, async () => (await listDead(store)).length > 0);
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

/** The manifests that a run holds. */
export async function listHolds(runDirectory: string): Promise<readonly Digest[]> {
  const text = await ifPresent(readFile(holdsPath(runDirectory), "utf8"));
  return (text ?? "").split("\n").filter((line) => isDigest(line));
}

/** Holds an image for a run. Needs the store's lock, so that no prune is between the image and its hold. */
export async function writeHold(runDirectory: string, manifest: Digest): Promise<void> {
  await appendFile(holdsPath(runDirectory), `${manifest}\n`, { mode: 0o600 });
}

async function holdImage(store: Store, directory: string, image: Image): Promise<boolean> {
  return explainFailures(store.directory, () =>
    // Under the lock, so that a prune has either seen the hold or already removed the image.
    lockStore(store, async () => {
      const manifest = await ifPresent(stat(blobPath(store, image.digest)));
      if (manifest === undefined) return false;
      await writeHold(directory, image.digest);
      return true;
    }),
  );
}

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

async function readNotes(directory: string): Promise<readonly Note[]> {
  const text = (await ifPresent(readFile(notesPath(directory), "utf8"))) ?? "";
  return text.split("\n").flatMap(parseNote);
}

/** The last line may be cut short: its writer died, and what it was about had not begun. */
function parseNote(line: string): readonly Note[] {
  const note = tryParseJson(line);
  const [key, value]: readonly unknown[] = Array.isArray(note) ? note : [];
  return typeof key === "string" && typeof value === "string" ? [{ key, value }] : [];
}

function notesPath(directory: string): string {
  return join(directory, "notes");
}

function holdsPath(directory: string): string {
  return join(directory, "holds");
}
