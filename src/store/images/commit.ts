import { copyFile, rename } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../../errors.ts";
import { describeManifest, digestHex } from "../../oci/oci.ts";
import type { Digest, Image } from "../../oci/oci.ts";
import { explainFailures } from "../layout/failures.ts";
import { systemCode, tolerate } from "../../system/errno.ts";
import { blobMode, forEachOf, writeAtomically } from "../layout/files.ts";
import { settleFile, syncDirectory } from "../../system/durable.ts";
import { readIndex, setNames, writeIndex } from "../layout/index-file.ts";
import type { Location } from "../../oci/oci.ts";
import { writeLocations } from "../records/locations.ts";
import type { Lock } from "../../system/lock.ts";
import { lockStore } from "../layout/access.ts";
import { blobPath, blobsDirectory, type Store } from "../layout/paths.ts";
import { putRecord, putRef, type BuildRecord } from "../records/records.ts";
import { writeHold, type Run } from "../runs/runs.ts";
import { putState, removeOldStates, type NewState } from "../records/state.ts";

export interface StagedBlob {
  readonly digest: Digest;
  /** A file that nothing else has open for writing; it is moved into the store. */
  readonly path: string;
}

export interface CommitInput {
  readonly image: Image;
  /** The layers whose bytes are new here; the others are in the store, or stay where they are known to be. */
  readonly stagedBlobs: readonly StagedBlob[];
  /** Full names that shall stand for the image. */
  readonly names: readonly string[];
  readonly record?: BuildRecord;
  /** Keys of xbuild's own names (a stage of a target for a platform). */
  readonly refs?: readonly string[];
  /** Where layers of the image are in registries: what is not here can be had there. */
  readonly locations?: readonly Location[];
  /** What the next build of the target may use. */
  readonly state?: NewState | undefined;
}

/**
 * Takes an image into the store: blobs, config and manifest, then state, locations, refs and record, last the
 * index, so that a name moves when all that can fail has gone well. Killed at any instant, it leaves every name on
 * a whole image: its old one or the new one. Idempotent but for the state, which is moved. The run holds the
 * image: until it ends it can be handed on, whatever builds and prunes beside it do.
 * Errors: `store-full`, `store-not-writable`, `store-damaged` (a staged blob of another size), `store-lock`.
 */
export async function commitImage(run: Run, input: CommitInput): Promise<void> {
  const { store } = run;
  await explainFailures(store.directory, async () => {
    const blobs = await settleBlobs(run, input);
    if (input.state !== undefined) await settleState(input.state);
    await lockStore(store, async (lock) => {
      await forEachOf(blobs, (blob) => rename(blob.path, blobPath(store, blob.digest)));
      await writeDocuments(store, input.image);
      await syncDirectory(blobsDirectory(store));
      if (input.state !== undefined) await putState(store, input.state, lock);
      await writeReferences(store, input);
      await writeHold(run.directory, input.image.digest);
      await nameImage(store, input, lock);
      // The name has moved: what is left now is for the next build to remove.
      if (input.state !== undefined) await tolerate(removeOldStates(store, run, lock));
    });
  });
}

async function settleState({ directory }: NewState): Promise<void> {
  const { settleOwnTree } = await import("../../system/own-tree.ts");
  await settleOwnTree(directory);
}

async function nameImage(store: Store, { names, image }: CommitInput, lock: Lock): Promise<void> {
  if (names.length === 0) return;
  const { manifests } = await readIndex(store);
  await writeIndex(store, setNames(manifests, names, describeManifest(image)), lock);
}

/** The staged blobs on the store's file system, durable, and of the size that the manifest says. */
async function settleBlobs(run: Run, input: CommitInput): Promise<readonly StagedBlob[]> {
  const sizes = new Map(input.image.manifest.layers.map((layer) => [layer.digest, layer.size]));
  const blobs = new Map(input.stagedBlobs.map((blob) => [blob.digest, blob]));
  await forEachOf([...blobs.values()], async (blob) => {
    const path = await bringNear(run, blob);
    blobs.set(blob.digest, { digest: blob.digest, path });
    assertSize(blob, await settleFile(path, blobMode), sizes.get(blob.digest));
  });
  return [...blobs.values()];
}

/** The file itself, or its copy where it lies on another file system. */
async function bringNear(run: Run, { digest, path }: StagedBlob): Promise<string> {
  const near = join(run.staging, `near-${digestHex(digest)}`);
  try {
    await rename(path, near);
  } catch (error) {
    if (systemCode(error) !== "EXDEV") throw error;
    await copyFile(path, near);
  }
  return near;
}

function assertSize(blob: StagedBlob, size: number, expected: number | undefined): void {
  if (expected === undefined || expected === size) return;
  const message = `${blob.path} has ${size} bytes, but the layer ${blob.digest} has ${expected}`;
  throw new XbuildError("store-damaged", message, {
    hint: "build again: another program changed the file after it was packed",
  });
}

async function writeDocuments(store: Store, image: Image): Promise<void> {
  const { config } = image.manifest;
  const durable = { durable: true, mode: blobMode };
  await Promise.all([
    writeAtomically(store, blobPath(store, config.digest), image.configBytes, durable),
    writeAtomically(store, blobPath(store, image.digest), image.manifestBytes, durable),
  ]);
}

async function writeReferences(store: Store, input: CommitInput): Promise<void> {
  const { record, refs = [], image, locations = [] } = input;
  if (locations.length > 0) await writeLocations(store, image.digest, locations);
  const link = record === undefined ? {} : { record: record.key };
  if (record !== undefined) await putRecord(store, record);
  for (const key of refs) await putRef(store, { key, manifest: image.digest, ...link });
}
