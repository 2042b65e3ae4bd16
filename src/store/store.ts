export { type StagedBlob, commitImage } from "./images/commit.ts";
export { exportLayout, listMissingLayers } from "./images/export.ts";
export { type NamedImage, findImage, listImages, readImage } from "./images/images.ts";
export { createNotFound, removeName, tagImage, tagName } from "./images/names.ts";
export { explainFull } from "./layout/failures.ts";
export { nameOfEntry, readIndex } from "./layout/index-file.ts";
export { type StoreOptions, hasBlob, openStore } from "./layout/open.ts";
export { type Store, blobPath, contextCachePath } from "./layout/paths.ts";
export type { StoreFinding, VerifyOptions } from "./maintenance/findings.ts";
export type { PruneOptions, PruneResult } from "./maintenance/prune-plan.ts";
export { pruneStore } from "./maintenance/prune.ts";
export { type StoredImage, listStoredImages, measureStore } from "./maintenance/summary.ts";
export { verifyStore } from "./maintenance/verify.ts";
export {
  type Location,
  locateImage,
  narrowLocations,
  readLocations,
  writeLocations,
} from "./records/locations.ts";
export { type BuildRecord, findRecord, findRef } from "./records/records.ts";
export { openKeyedHash } from "./records/secret-key.ts";
export { readState } from "./records/state.ts";
export { findTree, putTree } from "./records/trees.ts";
export { type DeadRun, type Run, beginRun, hasDeadRuns, listDeadRuns } from "./runs/runs.ts";
