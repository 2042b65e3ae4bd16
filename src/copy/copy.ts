export type { TransportAccess } from "./access.ts";
export { dropLayerAddresses } from "./layer-addresses.ts";
export { copyAs } from "./copy-as.ts";
export { makeLayout } from "./layout.ts";
export { fetchLayers } from "./fetch-layers.ts";
export {
  readLocalDocuments,
  readLocalId,
  readLocalImage,
  readPartialImage,
} from "./local-image.ts";
export {
  type ImageReference,
  type RegistryReference,
  createLocalReference,
  isRegistry,
  parseReference,
  parseRegistryReference,
  referToDigest,
  splitReference,
} from "./reference.ts";
export {
  isPushed,
  readRemoteId,
  readRemoteImage,
  readRemoteIndex,
  readRemotePlatforms,
} from "./remote-image.ts";
export { listRuntimeDirectories, withRuntimeDirectory } from "./runtime-directory.ts";
export { copyImage } from "./skopeo.ts";
export { openStoredLayers } from "./stored-layers.ts";
