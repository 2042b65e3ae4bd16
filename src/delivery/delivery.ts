export { type DeliverOptions, deliverImage, resolveNames } from "./deliver.ts";
export { fetchFrom, pickClaims } from "./fetch.ts";
export { UselessLayersError } from "./layers-gone.ts";
export { assertPresent } from "./presence.ts";
export { pushImage } from "./push.ts";
export { type LayerClaim, listClaims, verifyLayers } from "./verify-layers.ts";
