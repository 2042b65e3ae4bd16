export { type TransportAccess, isRegistry } from "./access.ts";
export { dropLayerAddresses } from "./layer-addresses.ts";
export { type LayerFiles, fetchLayers, readLocalImage } from "./layers.ts";
export { isPushed, pushLayout } from "./push.ts";
export { type ImageReference, parseReference } from "./reference.ts";
export { type WantedPlatform, readRemoteId, readRemoteImage } from "./remote-image.ts";
export { withRuntimeDirectory } from "./runtime-directory.ts";
export { copyImage } from "./skopeo.ts";
