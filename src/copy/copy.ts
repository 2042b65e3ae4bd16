export type { TransportAccess } from "./access.ts";
export { dropLayerAddresses } from "./layer-addresses.ts";
export { copyAs } from "./copy-as.ts";
export { fetchLayers, readLocalImage } from "./layers.ts";
export { isPushed, pushLayout } from "./push.ts";
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
export { type WantedPlatform, readRemoteId, readRemoteImage } from "./remote-image.ts";
export { withRuntimeDirectory } from "./runtime-directory.ts";
export { copyImage } from "./skopeo.ts";
