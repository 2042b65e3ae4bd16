import type { BuildCommandLine } from "../line/build-line.ts";
import { mentionsOutput, needsOutput, type Parsed, resolveFor } from "./parsed.ts";
import { listWritten } from "./platform.ts";

/** Whether the target uses no OUTPUT, so that the engine builds it. */
export function isForEngine(parsed: Parsed, line: BuildCommandLine): boolean {
  if (!mentionsOutput(parsed.containerfile)) return true;
  return !needsOutput(parsed) && !otherNeedsOutput(parsed, line);
}

/** A name may have the platform in it: one of several may be built on a stage with OUTPUT. */
function otherNeedsOutput(parsed: Parsed, line: BuildCommandLine): boolean {
  return listWritten(line)
    .slice(1)
    .some((one) => needsOutput({ ...parsed, graph: resolveFor(parsed, line, one) }));
}
