import type { Engine } from "../../engine/engine.ts";
import type { Destination } from "../../delivery/delivery.ts";
import {
  buildImage,
  createShared,
  describeEvents,
  type BuildRequest,
  type BuildResult,
  type BuildWorkspace,
  type Continued,
} from "../../pipeline/pipeline.ts";
import { createPlan, type BuildPlan } from "../../plan/plan.ts";
import { openStore } from "../../store/store.ts";
import { showLines } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { usageError, isSet, lastValue } from "../line/arguments.ts";
import type { BuildCommandLine, BuildStart } from "../line/build-line.ts";
import { renderHelp } from "../line/help.ts";
import { readLeniently } from "../line/lenient.ts";
import { createReporter } from "../report/reporter.ts";
import { parseCount } from "../line/values.ts";
import type { ResultFiles, ResultPaths } from "../report/result-files.ts";
import { reportResult } from "../report/result.ts";
import {
  mentionsOutput,
  needsOutput,
  readParsed,
  reportFindings,
  type Parsed,
} from "../request/parsed.ts";
import { readAccess } from "../request/registries.ts";
import { createRequest } from "../request/request.ts";
import { splitTargets } from "../request/targets.ts";
import { selectEngine } from "../request/select-engine.ts";
import { findStoreDirectory } from "../request/store-directory.ts";
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
  const named = { line: lenient.line, sources: start.sources };
  const parsed = await readParsed(named, io).catch((error: unknown) => {
    throw lenient.unknownFlag ?? error;
  });
  if (parsed === undefined) return passThrough(lenient, { engine }, io);
  const { sources, containerfile } = parsed;
  if (!mentionsOutput(containerfile)) return passThrough(lenient, { engine, sources }, io);
  // Where the target uses no OUTPUT, but others in the file have one, the engine must not see those.
  if (!needsOutput(parsed))
    return passThrough(lenient, { engine, sources, lowered: containerfile }, io);
  if (lenient.refusal !== undefined) throw lenient.refusal;
  const { words } = start;
  return buildOutput({ words, line: lenient.line, parsed, engine }, io);
}

interface OutputBuild {
  readonly words: readonly string[];
  readonly line: BuildCommandLine;
  readonly parsed: Parsed;
  readonly engine: Engine;
}

async function buildOutput(
  { words, line, parsed, engine }: OutputBuild,
  terminal: CliIo,
): Promise<number> {
  const request = await createRequest(line, { parsed, engine }, terminal);
  const { quiet } = request.steps;
  // Where stdout carries the image's files, words go to stderr.
  const io = request.delivery.destinations.some(isStdout)
    ? { ...terminal, stdout: terminal.stderr }
    : terminal;
  const reporter = createReporter(io, { quiet });
  await reportFindings(parsed, engine, reporter.warn);
  const plan = createPlan(parsed.containerfile, parsed.graph);
  if (plan === undefined) throw usageError("the target has no OUTPUT");
  const started = Date.now();
  const { sources } = parsed;
  const { signal } = io;
  const input = sources.file === "-" ? sources.bytes : undefined;
  const work: BuildWorkspace = {
    engine,
    reporter,
    signal,
    store: await openStore(findStoreDirectory(terminal), describeEvents({ reporter, signal })),
    registries: readAccess(line, terminal),
    now: `${new Date().toISOString().slice(0, 19)}Z`,
    shared: createShared(parseCount(lastValue(line, "jobs") ?? "1", "--jobs", 0)),
    enterNamespace: () => engine.runInNamespace([...terminal.self, "build", ...words], input),
  };
  const files = await prepareFiles(readPaths(line), terminal, work);
  const result = await buildWithFiles({ plan, request, files }, work);
  if ("continuedElsewhere" in result) return result.continuedElsewhere;
  reportResult(result, io, { quiet, milliseconds: Date.now() - started });
  return 0;
}

function readPaths(line: BuildCommandLine): ResultPaths {
  return {
    iidFile: lastValue(line, "iidfile"),
    metadataFile: lastValue(line, "metadata-file"),
  };
}

/** undefined where none are asked for: a build that has nothing to do loads nothing for them. */
async function prepareFiles(
  paths: ResultPaths,
  io: CliIo,
  work: BuildWorkspace,
): Promise<ResultFiles | undefined> {
  if (paths.iidFile === undefined && paths.metadataFile === undefined) return undefined;
  const { createResultFiles } = await import("../report/result-files.ts");
  return createResultFiles(paths, io, work);
}

interface BuildWithFiles {
  readonly plan: BuildPlan;
  readonly request: BuildRequest;
  readonly files: ResultFiles | undefined;
}

async function buildWithFiles(
  { plan, request, files }: BuildWithFiles,
  work: BuildWorkspace,
): Promise<BuildResult | Continued> {
  if (files === undefined) return buildImage(plan, request, work);
  try {
    const result = await buildImage(plan, request, { ...work, beforeNaming: files.prepare });
    if (!("continuedElsewhere" in result)) await files.place(result);
    return result;
  } finally {
    await files.discard();
  }
}

function isStdout(destination: Destination): boolean {
  return destination.kind === "files" && /^-$|(?:^|,)dest=-(?:,|$)/.test(destination.text);
}
