// The store itself.
export { createNotFound } from "./layout/failures.ts";
export { isForeign } from "./layout/access.ts";
export { explainFull } from "./layout/failures.ts";
export { type StoreOptions, openStore } from "./layout/open.ts";
export type { Store } from "./layout/paths.ts";

// Images: whole documents, found by a name or a digest, and the names that stand for them.
export { commitImage } from "./images/commit.ts";
export { commitIndex } from "./images/commit-index.ts";
export { type ExportOptions, exportLayout } from "./images/export.ts";
export {
  type NamedImages,
  findImage,
  findNamed,
  findNameOf,
  listImages,
  listNamesGiven,
  readImage,
} from "./images/images.ts";
export { findIndex } from "./images/indexes.ts";
export { tagImage, tagName } from "./images/names.ts";

// Blobs: the bytes of layers, which are here or not.
export { dropBlob, findBlob, listMissingLayers } from "./blobs/blobs.ts";
export { type BlobWriter, type StagedBlob, createBlobWriter } from "./blobs/write-blob.ts";

// Records: what builds were made of and left, for the next ones.
export { contextCachePath } from "./layout/paths.ts";
export { findConfig, keepConfig } from "./records/configs.ts";
export { findKnown, keepKnown } from "./records/known-digests.ts";
export { findListing, keepListing } from "./records/listings.ts";
export {
  type BuildRecord,
  findLastRecord,
  findRecord,
  findRef,
  putRecord,
  putRef,
} from "./records/records.ts";
export { openKeyedHash } from "./records/secret-key.ts";
export { findStateOf, type LeftState, readState } from "./records/state.ts";
export { dropUses, listUses, markUse } from "./records/uses.ts";
export { treePath } from "./records/trees.ts";

// Locations: which registries have an image's layers.
export { readLocations, writeLocations } from "./records/locations.ts";

// Runs: private directories of what is unfinished, and what holds images against a prune.
export { findDeadRuns, findOldestRun, removeSilentRuns } from "./runs/liveness.ts";
export { beginRun, type Run, withRun } from "./runs/runs.ts";

// Maintenance: what is here, what may go, what is damaged.
export type { DamagedBlob, StoreFinding } from "./maintenance/findings.ts";
export type { PruneOptions, PruneResult } from "./maintenance/prune-plan.ts";
export { pruneStore } from "./maintenance/prune.ts";
export type { StayReason } from "./maintenance/removal-plan.ts";
export { removeNames, type RemovedNames } from "./maintenance/remove-names.ts";
export { type StoredImage, listStoredImages, measureStore } from "./maintenance/summary.ts";
export { beginTidying } from "./maintenance/tidying.ts";
export { verifyStore } from "./maintenance/verify.ts";
