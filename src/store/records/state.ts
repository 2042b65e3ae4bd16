import { randomUUID } from "node:crypto";
import { lstat, readdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { type Digest, isDigest } from "../../oci/oci.ts";
import { syncDirectory } from "../../system/durable.ts";
import { ifPresent } from "../../system/errno.ts";
import type { Lock } from "../../system/lock.ts";
import { removeTree } from "../../system/remove-tree.ts";
import {
  listOwnDocuments,
  readOwnDocument,
  type StoredDocument,
  writeOwnDocument,
} from "../layout/documents.ts";
import { explainFailures } from "../layout/failures.ts";
import { hashKey, type Store } from "../layout/paths.ts";
import { listLiveRuns } from "../runs/liveness.ts";
import type { Run } from "../runs/runs.ts";

/** What a build left in `output/state`: plain files and directories, copied into the run's own directory. */
export interface NewState {
  /** What it is found by: the first, and others that lead to the same. */
  readonly keys: readonly [string, ...string[]];
  /** It is moved into the store. */
  readonly directory: string;
  /** What the times in its image's layers are. */
  readonly times: string;
}

/** What a build left, and of which image that tells. */
export interface LeftState {
  readonly directory: string;
  /** The manifest's digest; undefined where an older version wrote it. */
  readonly image: Digest | undefined;
  /** What the times in its layers are; undefined where an older version wrote it. */
  readonly times: string | undefined;
}

/**
 * What the last build with this key left in `output/state`, or undefined. Read-only; it stays until
 * the runs that live now have ended, so call it after `beginRun`.
 */
export async function readState(store: Store, key: string): Promise<LeftState | undefined> {
  return explainFailures(store.directory, async () => {
    const document = await readOwnDocument(store, "state", key);
    const name = nameIn(document);
    if (name === undefined) return undefined;
    const directory = join(statesDirectory(store), name);
    const isThere = (await ifPresent(lstat(directory)))?.isDirectory() === true;
    if (!isThere) return undefined;
    const { image, times } = { ...document };
    return {
      directory,
      image: isDigest(image) ? image : undefined,
      times: typeof times === "string" ? times : undefined,
    };
  });
}

/**
 * The directory of the state that the last build of some image left, or undefined: of the image with this manifest, or of
 * one that `isSame` says has the same layers, as that of a stage which gives another its layers. Read-only, and it may go
 * when no run lives.
 */
export async function findStateOf(
  store: Store,
  image: Digest,
  isSame: (other: Digest) => Promise<boolean>,
): Promise<string | undefined> {
  return explainFailures(store.directory, async () => {
    const states = await listStates(store);
    const own = states.find((one) => one.image === image);
    if (own !== undefined) return own.tree;
    for (const one of states) if (one.image && (await isSame(one.image))) return one.tree;
    return undefined;
  });
}

/** Puts a state in the place of the last ones of its keys, at once. It must be durable already. */
export async function putState(
  store: Store,
  { keys, directory, image, times }: NewState & { readonly image: Digest },
  _lock: Lock,
): Promise<void> {
  const name = `${hashKey(keys[0])}-${randomUUID()}`;
  await rename(directory, join(statesDirectory(store), name));
  await syncDirectory(statesDirectory(store));
  for (const key of keys) {
    const document: StateDocument = { key, name, image, times };
    await writeOwnDocument(store, "state", document);
  }
}

/** A key with the directory that it leads to; others may lead to the same. */
export interface StoredState extends Pick<StoredDocument, "path" | "size" | "key"> {
  readonly tree: string;
  /** As in `LeftState`. */
  readonly image: Digest | undefined;
}

/** Those of all keys. */
export async function listStates(store: Store): Promise<readonly StoredState[]> {
  return (await listOwnDocuments(store, "state")).flatMap(({ value, path, size, key }) => {
    const name = nameIn(value);
    if (name === undefined) return [];
    const image = isDigest(value["image"]) ? value["image"] : undefined;
    return [{ path, size, key, image, tree: join(statesDirectory(store), name) }];
  });
}

/**
 * Removes what no key names any more, unless a run may be reading it. What cannot be removed stays for the next
 * time.
 */
export async function removeOldStates(
  store: Store,
  run: Run | undefined,
  _lock: Lock,
): Promise<void> {
  const others = (await listLiveRuns(store)).filter((directory) => directory !== run?.directory);
  if (others.length > 0) return;
  const directory = statesDirectory(store);
  const names = (await ifPresent(readdir(directory))) ?? [];
  const current = new Set((await listStates(store)).map(({ tree }) => tree));
  const trees = names.filter((name) => stateName.test(name)).map((name) => join(directory, name));
  const old = trees.filter((tree) => !current.has(tree));
  await Promise.all(old.map((tree) => removeTree(tree, { signal: store.signal })));
}

interface StateDocument {
  readonly key: string;
  readonly name: string;
  readonly image: Digest;
  readonly times: string;
}

const stateName = /^[0-9a-f]{64}-[0-9a-f-]{36}$/;

function nameIn(document: { readonly [key: string]: unknown } | undefined): string | undefined {
  const name = document?.["name"];
  return typeof name === "string" && stateName.test(name) ? name : undefined;
}

function statesDirectory(store: Store): string {
  return join(store.directory, "state");
}
