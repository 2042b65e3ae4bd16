import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Digest, Image } from "../../oci/oci.ts";
import { makePrivateDirectory } from "../../system/private-directory.ts";
import { identifyOwnProcess } from "../../system/process-identity.ts";
import { findBlob } from "../blobs/blobs.ts";
import { lockStore } from "../layout/access.ts";
import { createNotFound, explainFailures, explainFull } from "../layout/failures.ts";
import { ensureLayout } from "../layout/layout.ts";
import { temporaryDirectory, type Store } from "../layout/paths.ts";
import { markUse } from "../records/uses.ts";
import { appendNote, removeWork, writeHold } from "./run-directory.ts";

/** What a prune leaves: an image or an index, with all that it consists of. */
export type Held = Pick<Image, "digest">;

/** One build's private directory in the store; it lives as long as the process does. */
export interface Run {
  readonly store: Store;
  /** Part of the directory's name: letters, digits, dots and dashes. */
  readonly id: string;
  readonly directory: string;
  /** Where new blobs are written. */
  readonly staging: string;
  /** For the `/layers` directories. */
  readonly layers: string;
  /** Writes down what a later run must clean up if this one is killed. */
  note(key: string, value: string): Promise<void>;
  /** Writes down that a name in an engine's storage which outlives the run is used now (`markUse`). */
  use(name: string): Promise<void>;
  /** Keeps an image and its layers from being pruned until the run ends; false where it is gone already. */
  hold(image: Held): Promise<boolean>;
  /** The same for an image that must be there. Errors: `image-not-found`. */
  mustHold(image: Held): Promise<void>;
  /** The same for one that another run is about to take into the store: there is no moment at which nobody holds it. */
  reserve(image: Held): Promise<void>;
  /** Empties `layers` and `staging`: what the build wrote is collected, or of no use, and takes room. */
  discardWork(): Promise<void>;
  /** Lets the directory stay for the next cleaner, who reads the notes: `end` does nothing then. */
  leave(): void;
  /** Removes the directory. What cannot be removed the store is told of; it is the next cleaner's. */
  end(): Promise<void>;
}

/**
 * Does `action` in a run of its own and leaves nothing of it in the store's `tmp/`, whatever happens.
 * Errors: as `beginRun`; those of `action`, a full disk as `store-full`.
 */
export async function withRun<T>(store: Store, action: (run: Run) => Promise<T>): Promise<T> {
  const run = await beginRun(store);
  try {
    return await action(run);
  } catch (error) {
    throw explainFull(store, error);
  } finally {
    const done = store.onCleanUp?.();
    await run.end();
    done?.();
  }
}

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
    const places = { staging: join(directory, "staging"), layers: join(directory, "layers") };
    await Promise.all([places.staging, places.layers].map(makePrivateDirectory));
    return createRun({ store, id, directory, ...places });
  });
}

type RunPlaces = Pick<Run, "store" | "id" | "directory" | "staging" | "layers">;

function createRun(places: RunPlaces): Run {
  const { store, directory, staging, layers } = places;
  const state = { isLeft: false };
  // Whatever is held stays there until the run ends: it need not be looked for again.
  const held = new Set<Digest>();
  const hold = async (image: Held): Promise<boolean> => {
    if (!held.has(image.digest) && !(await holdImage(places, image))) return false;
    held.add(image.digest);
    return true;
  };
  return {
    ...places,
    note: (key, value) =>
      explainFailures(store.directory, () => appendNote(directory, { key, value })),
    use: (name) => markUse(store, name),
    hold,
    mustHold: async (image) => {
      if (!(await hold(image))) throw createNotFound(store, image.digest);
    },
    reserve: ({ digest }) =>
      explainFailures(store.directory, () => lockStore(store, () => writeHold(directory, digest))),
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
}

async function holdImage({ store, directory }: RunPlaces, { digest }: Held): Promise<boolean> {
  return explainFailures(store.directory, () =>
    // Under the lock, so that a prune has either seen the hold or already removed the image.
    lockStore(store, async () => {
      if ((await findBlob(store, { digest })) === undefined) return false;
      await writeHold(directory, digest);
      return true;
    }),
  );
}
