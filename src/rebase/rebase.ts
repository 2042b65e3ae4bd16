export type {
  NamedBase,
  RebasedIndex,
  RebaseRequest,
  RebaseResult,
  SourceName,
} from "./rebase-request.ts";
export { rebase } from "./run-rebase.ts";
