import { randomUUID } from "node:crypto";
import { lstat, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { copyTree } from "./copy-tree.ts";
import { decodeOwnDocument, readOwnDocument, writeOwnDocument } from "./documents.ts";
import { explainFailures, ifPresent } from "./failures.ts";
import { syncDirectory } from "./files.ts";
import { withLock } from "./lock.ts";
import { hashKey, lockPath, type Store } from "./paths.ts";
import { removeTree } from "./remove-tree.ts";
import { listLiveRuns, type Run } from "./runs.ts";

/**
 * The directory that the last build with this key (target's name, stage and platform) left in
 * `output/state`, or undefined. Read-only; it stays until the runs that live now have ended, so call it
 * after `beginRun`.
 */
export async function readState(store: Store, key: string): Promise<string | undefined> {
  return explainFailures(store.directory, async () => {
    const name = nameIn(await readOwnDocument(store, "state", key));
    if (name === undefined) return undefined;
    const directory = join(statesDirectory(store), name);
    return (await ifPresent(lstat(directory)))?.isDirectory() === true ? directory : undefined;
  });
}

/**
 * Keeps a copy of this directory as the state of that key, in place of the last one, at once. Files,
 * directories and links are kept, nothing else, and links are not followed: a build wrote it, and
 * processes that it left behind may still write there.
 */
export async function saveState(run: Run, key: string, directory: string): Promise<void> {
  const { store } = run;
  await explainFailures(store.directory, async () => {
    const name = `${hashKey(key)}-${randomUUID()}`;
    const copy = join(run.directory, name);
    const document: StateDocument = { key, name };
    await copyTree(directory, copy);
    await withLock(lockPath(store), async () => {
      await rename(copy, join(statesDirectory(store), name));
      await syncDirectory(statesDirectory(store));
      await writeOwnDocument(store, "state", document);
      await removeOldStates(store, run);
    });
  });
}

/** Removes what no key names any more, unless a run may be reading it. Needs the store's lock. */
export async function removeOldStates(store: Store, run: Run | undefined): Promise<void> {
  const others = (await listLiveRuns(store)).filter((directory) => directory !== run?.directory);
  if (others.length > 0) return;
  const directory = statesDirectory(store);
  const names = (await ifPresent(readdir(directory))) ?? [];
  const documents = names.filter((name) => name.endsWith(".json"));
  const current = await Promise.all(
    documents.map(async (name) => nameIn(decodeOwnDocument(await readFile(join(directory, name))))),
  );
  const old = names.filter((name) => stateName.test(name) && !current.includes(name));
  await Promise.all(old.map((name) => removeTree(join(directory, name))));
}

interface StateDocument {
  readonly key: string;
  readonly name: string;
}

const stateName = /^[0-9a-f]{64}-[0-9a-f-]{36}$/;

function nameIn(document: { readonly [key: string]: unknown } | undefined): string | undefined {
  const name = document?.["name"];
  return typeof name === "string" && stateName.test(name) ? name : undefined;
}

function statesDirectory(store: Store): string {
  return join(store.directory, "state");
}
