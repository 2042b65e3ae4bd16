export { forgetSent, recordSent } from "./sent.ts";
export { compareContexts } from "./compare.ts";
export { type ContextFiles, openFiles } from "./files.ts";
export { type ContextHash, hashContext } from "./hash.ts";
export { type MarkedTree, markTrees } from "./trees.ts";
export type { WalkOptions } from "./walk.ts";
