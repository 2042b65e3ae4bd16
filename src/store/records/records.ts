import { utimes } from "node:fs/promises";
import { isDigest } from "../../oci/oci.ts";
import type { Digest, Json } from "../../oci/oci.ts";
import { readOwnDocument, writeOwnDocument } from "../layout/documents.ts";
import { explainFailures } from "../layout/failures.ts";
import { ensureLayout } from "../layout/layout.ts";
import { documentPath, type Store } from "../layout/paths.ts";

/** That a build with this key gave this image. */
export interface BuildRecord {
  /** The key of everything that the image depends on. */
  readonly key: string;
  readonly manifest: Digest;
  /** The full names that it was given. */
  readonly names: readonly string[];
  /** Whatever the build wants to know later, such as the parts of the key to explain a change with. */
  readonly details?: Json;
}

/** The image that a name of xbuild's own (a stage of a target for a platform) last stood for. */
export interface StageRef {
  readonly key: string;
  readonly manifest: Digest;
  /** The key of its record. */
  readonly record?: string;
}

/** What the last build with this key gave; whether its image is still here, `readImage` tells. */
export async function findRecord(store: Store, key: string): Promise<BuildRecord | undefined> {
  const value = await explainFailures(store.directory, () =>
    readOwnDocument(store, "records", key),
  );
  if (value === undefined) return undefined;
  const { manifest, names, details } = value;
  if (!isDigest(manifest) || !Array.isArray(names)) return undefined;
  const texts = names.filter((name) => typeof name === "string");
  await markUsed(store, key);
  return { key, manifest, names: texts, ...(details === undefined ? {} : { details }) };
}

/** The record of the last build of a stage, by a name of xbuild's own (see `StageRef`). */
export async function findLastRecord(store: Store, ref: string): Promise<BuildRecord | undefined> {
  const record = (await findRef(store, ref))?.record;
  return record === undefined ? undefined : findRecord(store, record);
}

/** Keeps a record; one of the same key is replaced. */
export async function putRecord(store: Store, record: BuildRecord): Promise<void> {
  await explainFailures(store.directory, async () => {
    await ensureLayout(store);
    await writeOwnDocument(store, "records", record);
  });
}

/** The image that such a name stands for, or undefined. */
export async function findRef(store: Store, key: string): Promise<StageRef | undefined> {
  const value = await explainFailures(store.directory, () => readOwnDocument(store, "refs", key));
  if (value === undefined || !isDigest(value["manifest"])) return undefined;
  const { manifest, record } = value;
  return { key, manifest, ...(typeof record === "string" ? { record } : {}) };
}

/** Lets such a name stand for an image; what it stood for before is forgotten. */
export async function putRef(store: Store, ref: StageRef): Promise<void> {
  await explainFailures(store.directory, async () => {
    await ensureLayout(store);
    await writeOwnDocument(store, "refs", ref);
  });
}

/** For a prune by age. A store that may only be read is as good. */
async function markUsed(store: Store, key: string): Promise<void> {
  const now = new Date();
  await utimes(documentPath(store, "records", key), now, now).catch(() => undefined);
}
