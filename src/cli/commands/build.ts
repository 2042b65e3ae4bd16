import {
  buildImage,
  type BuildResult,
  type BuildWorkspace,
  type Continued,
} from "../../pipeline/pipeline.ts";
import { createPlan } from "../../plan/plan.ts";
import { showLines } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { usageError, isSet, lastValue } from "../line/arguments.ts";
import type { BuildStart } from "../line/build-line.ts";
import { renderHelp } from "../line/help.ts";
import { readLeniently } from "../line/lenient.ts";
import { createReporter } from "../report/reporter.ts";
import { reportResult } from "../report/result.ts";
import { warnOfUnused, warnOnce } from "../request/findings.ts";
import { mentionsOutput, readParsed, refuseMistyped, reportFindings } from "../request/parsed.ts";
import { asksForSeveral } from "../request/platform.ts";
import { createRequest } from "../request/request.ts";
import { splitTargets } from "../request/targets.ts";
import { isForEngine } from "../request/whose.ts";
import { selectEngine } from "../request/select-engine.ts";
import {
  createBuildReporter,
  createResultOptions,
  createWorkspace,
  makeWithFiles,
  type OutputBuild,
  prepareFiles,
  withReport,
  withWords,
} from "./build-workspace.ts";
import { passThrough } from "./pass-through.ts";

/** `xbuild [build] [flags] CONTEXT`. @returns the exit status. @throws XbuildError */
export async function runBuild(start: BuildStart, io: CliIo): Promise<number> {
  const lenient = await readLeniently(start, io);
  if (isSet(lenient.line, "help")) {
    io.stdout(showLines(renderHelp()));
    return 0;
  }
  const targets = splitTargets(lenient.line);
  if (targets.length > 1) {
    const { buildTargets } = await import("./build-targets.ts");
    return buildTargets(targets, { start, runBuild }, io);
  }
  const engine = selectEngine(lenient.line, io);
  const { sources: read, beside } = start;
  const named = { line: lenient.line, sources: read, otherTargets: beside?.otherTargets };
  const parsed = await readParsed(named, io).catch((error: unknown) => {
    throw lenient.unknownFlag ?? error;
  });
  if (parsed === undefined) return passThrough(lenient, { engine }, io);
  const { sources, containerfile } = parsed;
  await refuseMistyped(parsed, () => engine);
  if (!mentionsOutput(containerfile)) return passThrough(lenient, { engine, sources }, io);
  // Where the target uses no OUTPUT, but others in the file have one, the engine must not see those.
  if (isForEngine(parsed, lenient.line)) {
    const { warn } = createReporter(io, { quiet: true });
    warnOfUnused(containerfile, parsed.graph, warnOnce(warn, beside?.told));
    return passThrough(lenient, { engine, sources, lowered: containerfile }, io);
  }
  if (lenient.refusal !== undefined) throw lenient.refusal;
  // Of several builds, what the others have kept may be there already.
  if (beside === undefined && lastValue(lenient.line, "keep-output") !== undefined) {
    const { assertKeepOutput } = await import("../request/empty-directory.ts");
    await assertKeepOutput(lenient.line, io);
  }
  const build = {
    words: start.words,
    again: start.again,
    line: lenient.line,
    parsed,
    engine,
    ...(beside && { beside }),
  };
  if (asksForSeveral(lenient.line) || lastValue(lenient.line, "manifest") !== undefined) {
    const { buildForPlatforms } = await import("./build-platforms.ts");
    return buildForPlatforms(build, io);
  }
  return buildOutput(build, io);
}

async function buildOutput(build: OutputBuild, terminal: CliIo): Promise<number> {
  const { line, parsed, engine } = build;
  const request = await createRequest(line, { parsed, engine }, terminal);
  const options = createResultOptions(line, request);
  const io = withWords(terminal, build, request.delivery.destinations);
  const reporter = createBuildReporter(io, build);
  await reportFindings(parsed, engine, warnOnce(reporter.warn, build.beside?.told));
  const plan = createPlan(parsed.containerfile, parsed.graph);
  if (plan === undefined) throw usageError("the target has no OUTPUT");
  const started = Date.now();
  const work = await createWorkspace(build, reporter, terminal);
  const files = await prepareFiles(line, terminal, work);
  const make = (own: BuildWorkspace): Promise<BuildResult | Continued> =>
    buildImage(plan, request, own);
  const result = await makeWithFiles(files, make, work);
  if ("continuedElsewhere" in result) return result.continuedElsewhere;
  reporter.result(result);
  const milliseconds = Date.now() - started;
  await reportResult(result, withReport(io, build), { ...options, milliseconds });
  return 0;
}
