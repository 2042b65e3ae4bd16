import type { CliIo } from "../io.ts";
import { lastValue } from "../line/arguments.ts";
import type { BuildStart } from "../line/build-line.ts";
import type { Sources } from "../request/locate.ts";
import { readParsed, readSources, reportFindings, resolveFor } from "../request/parsed.ts";
import { guessPlatform } from "../request/platform.ts";
import { readReports } from "../request/report-request.ts";
import { selectEngine } from "../request/select-engine.ts";
import { omitFlag, renderLine, type TargetLine } from "../request/targets.ts";
import { readJobs } from "./build-workspace.ts";
import { buildSeveral, type RunBuild } from "./build-several.ts";

/** A command line that names several targets: each is built. Errors and result: as `buildSeveral`. */
export async function buildTargets(
  targets: readonly TargetLine[],
  { start, runBuild }: { readonly start: BuildStart; readonly runBuild: RunBuild },
  io: CliIo,
): Promise<number> {
  const [first] = targets;
  // Standard input and a pipe can be read but once.
  const sources = start.sources ?? (first && (await readSources(first.line, io)));
  await assertTargets(targets, sources, io);
  const builds = targets.map(({ target, line }) => ({
    name: target ?? "",
    words: renderLine(omitFlag(omitFlag(line, "metadata-file"), "report")),
    sources,
  }));
  const metadataFile = first && lastValue(first.line, "metadata-file");
  const jobs = first === undefined ? 1 : readJobs(first.line);
  const reports = first === undefined ? [] : readReports(first.line);
  return buildSeveral({ builds, metadataFile, reports, jobs }, runBuild, io);
}

/** Before anything is built: one that is not there would be found when others have moved their names. */
async function assertTargets(
  targets: readonly TargetLine[],
  sources: Sources | undefined,
  io: CliIo,
): Promise<void> {
  const [first] = targets;
  const parsed = sources && first && (await readParsed({ line: first.line, sources }, io));
  if (parsed === undefined) return;
  for (const { line } of targets) {
    const graph = resolveFor(parsed, line, guessPlatform(line));
    if (!graph.diagnostics.some(({ code }) => code === "target-not-found")) continue;
    await reportFindings({ ...parsed, graph }, selectEngine(line, io), () => undefined);
  }
}
