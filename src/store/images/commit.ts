import { stat } from "node:fs/promises";
import { XbuildError } from "../../errors.ts";
import { describeManifest, type Image, type LayerFiles, type Location } from "../../oci/oci.ts";
import { syncDirectory } from "../../system/durable.ts";
import { tolerate } from "../../system/errno.ts";
import type { Lock } from "../../system/lock.ts";
import { placeBlobs, takeBlob } from "../blobs/place-blobs.ts";
import { writeBlob, type StagedBlob } from "../blobs/write-blob.ts";
import { lockStore } from "../layout/access.ts";
import { explainFailures } from "../layout/failures.ts";
import { forEachOf } from "../layout/files.ts";
import { readIndex, setNames, writeIndex } from "../layout/index-file.ts";
import { blobsDirectory, type Store } from "../layout/paths.ts";
import { writeLocations } from "../records/locations.ts";
import { putRecord, putRef, type BuildRecord } from "../records/records.ts";
import { putTree, type ContextTree } from "../records/trees.ts";
import { putState, removeOldStates, type NewState } from "../records/state.ts";
import { writeHold } from "../runs/run-directory.ts";
import type { Run } from "../runs/runs.ts";

export interface CommitInput {
  readonly image: Image;
  /** Layers that were made here. Those that are in no list are in the store, or stay where they are known to be. */
  readonly stagedBlobs?: readonly StagedBlob[];
  /** Layers that came from elsewhere: files of the run are moved, others copied. */
  readonly files?: LayerFiles;
  /** Full names that shall stand for the image. */
  readonly names: readonly string[];
  /** Records of its build; the first is the one that its refs lead to. */
  readonly records?: readonly BuildRecord[];
  /** Keys of xbuild's own names (a stage of a target for a platform). */
  readonly refs?: readonly string[];
  /** Where layers of the image are in registries: what is not here can be had there. */
  readonly locations?: readonly Location[];
  /** What the build's contexts were, to say later what changed in them: it only helps. */
  readonly contexts?: readonly ContextTree[];
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
    const layers = await stageLayers(run, input);
    const documents = await stageDocuments(run, input.image);
    for (const tree of input.contexts ?? []) await tolerate(putTree(store, tree));
    if (input.state !== undefined) await settleState(input.state);
    await lockStore(store, async (lock) => {
      await placeBlobs(store, layers, lock);
      await placeBlobs(store, documents, lock);
      await syncDirectory(blobsDirectory(store));
      if (input.state !== undefined)
        await putState(store, { ...input.state, image: input.image.digest }, lock);
      await writeReferences(store, input);
      await writeHold(run.directory, input.image.digest);
      await nameImage(store, input, lock);
      // The name has moved: what is left now is for the next build to remove.
      if (input.state !== undefined) await tolerate(removeOldStates(store, run, lock));
    });
  });
}

/** Each layer that the store is to take, once, durable, and of the size that the manifest says. */
async function stageLayers(
  run: Run,
  { image, stagedBlobs = [], files = new Map() }: CommitInput,
): Promise<readonly StagedBlob[]> {
  const blobs = new Map(stagedBlobs.map((blob) => [blob.digest, blob]));
  const foreign = [...files].filter(([digest]) => !blobs.has(digest));
  await forEachOf(foreign, async ([digest, path]) => {
    blobs.set(digest, await takeBlob(run, { digest, path }));
  });
  const sizes = new Map(image.manifest.layers.map((layer) => [layer.digest, layer.size]));
  await forEachOf(blobs.values(), (blob) => assertSize(blob, sizes.get(blob.digest)));
  return [...blobs.values()];
}

async function assertSize(
  { path, digest }: StagedBlob,
  expected: number | undefined,
): Promise<void> {
  const { size } = await stat(path);
  if (expected === undefined || expected === size) return;
  const message = `${path} has ${size} bytes, but the layer ${digest} has ${expected}`;
  throw new XbuildError("store-damaged", message, {
    hint: "build again: another program changed the file after it was packed",
  });
}

function stageDocuments(
  { staging }: Run,
  { configBytes, manifestBytes }: Image,
): Promise<readonly StagedBlob[]> {
  return Promise.all([configBytes, manifestBytes].map((bytes) => writeBlob(staging, bytes)));
}

async function settleState({ directory }: NewState): Promise<void> {
  const { settleOwnTree } = await import("../../system/own-tree.ts");
  await settleOwnTree(directory);
}

async function writeReferences(store: Store, input: CommitInput): Promise<void> {
  const { records = [], refs = [], image, locations = [] } = input;
  if (locations.length > 0) await writeLocations(store, image.digest, locations);
  const [first] = records;
  const link = first === undefined ? {} : { record: first.key };
  for (const record of records) await putRecord(store, record);
  for (const key of refs) await putRef(store, { key, manifest: image.digest, ...link });
}

async function nameImage(store: Store, { names, image }: CommitInput, lock: Lock): Promise<void> {
  if (names.length === 0) return;
  const { manifests } = await readIndex(store);
  await writeIndex(store, setNames(manifests, names, describeManifest(image)), lock);
}
