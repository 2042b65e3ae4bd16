export {
  baseDigestAnnotation,
  baseNameAnnotation,
  inputsLabel,
  keyAnnotation,
  ownAnnotationPrefix,
  refNameAnnotation,
} from "./annotations.ts";
export {
  type AssembleEntry,
  type AssembleInput,
  assembleImage,
  assembleWithPrevious,
} from "./assemble.ts";
export { assembleIndex, describeIndex, mergeIndex, platformOf } from "./assemble-index.ts";
export { readCreated } from "./created.ts";
export { describeManifest } from "./describe.ts";
export { digestBytes, digestHex, hashText, isDigest } from "./digest.ts";
export { maxDocumentSize } from "./document.ts";
export { isExternal } from "./external.ts";
export { listHistory, listHistoryAbove } from "./history.ts";
export { createSource, type JsonSource, locateJson, toSpans } from "./json-places.ts";
export { JsonProblem } from "./json-tokens.ts";
export { encodeJson, isJsonObject, sortKeys, tryParseJson } from "./json.ts";
export {
  annotateContent,
  type LayerContent,
  layersKey,
  packContents,
  readCanonical,
} from "./layer-key.ts";
export { annotateFingerprint, readFingerprint } from "./layer-fingerprint.ts";
export { type LayerFiles, type Location, locateImage, narrowLocations } from "./locations.ts";
export {
  compressionOf,
  ociConfigType,
  ociIndexType,
  ociLayerType,
  ociManifestType,
  toOciMediaType,
} from "./media-types.ts";
export {
  type ConfigPatch,
  listMembers,
  mergeConfig,
  nameVariable,
  withoutEmpty,
} from "./merge-config.ts";
export { sumMissing } from "./missing-layers.ts";
export type {
  Annotations,
  ContainerConfig,
  Descriptor,
  Digest,
  HistoryEntry,
  HistoryItem,
  Image,
  ImageConfig,
  ImageIndex,
  Json,
  Manifest,
  Platform,
} from "./model.ts";
export {
  type NameParts,
  type Repository,
  hubHost,
  isHost,
  isLocalName,
  isRegistryHost,
  localHost,
  localName,
  mayBeImageId,
  normaliseHost,
  normaliseRepository,
  splitName,
} from "./names.ts";
export {
  isSamePlatform,
  namePlatform,
  normalisePlatform,
  parsePlatform,
  pickPlatform,
  renderPlatform,
  type WantedPlatform,
} from "./platforms.ts";
export { isAttestation } from "./attestations.ts";
export { countCommon, countCommonLayers, isBuiltOn, rebaseImage } from "./rebase.ts";
export { type ImageName, parseImageName, isFullName } from "./reference.ts";
export { parseConfig, parseImage, parseIndex, parseManifest } from "./schema.ts";
export { readJson } from "./strict-json.ts";
