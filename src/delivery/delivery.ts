export { deliverImage, findLoaded } from "./deliver.ts";
export { layOutImage } from "./destinations.ts";
export { addToList, deliverIndex } from "./deliver-index.ts";
export { pushIndex } from "./push-index.ts";
export { fetchFrom, pickClaims } from "./fetch.ts";
export { UselessLayersError } from "./useless-layers.ts";
export { withAnswers } from "./answers.ts";
export { lookAhead } from "./look-ahead.ts";
export { assertPresent } from "./presence.ts";
export { pushImage } from "./push.ts";
export {
  asPart,
  type DeliveryRequest,
  type Destination,
  type ListRequest,
  listNames,
  wantsBytes,
} from "./request.ts";
export { type LayerCheck, type LayerClaim, listClaims, verifyLayers } from "./verify-layers.ts";
export type { EngineWorkspace, RunWorkspace, Workspace } from "./workspace.ts";
