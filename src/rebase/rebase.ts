export type { NamedBase, RebaseRequest, RebaseResult, SourceName } from "./rebase-request.ts";
export { rebase } from "./run-rebase.ts";
