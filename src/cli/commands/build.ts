import { buildImage } from "../../pipeline/pipeline.ts";
import type {
  BuildPorts,
  BuildRequest,
  BuildResult,
  Continued,
  Destination,
} from "../../pipeline/pipeline.ts";
import type { Engine } from "../../engine/engine.ts";
import type { BuildPlan } from "../../plan/plan.ts";
import { createPlan } from "../../plan/plan.ts";
import { usageError } from "../line/arguments.ts";
import { renderHelp } from "../line/help.ts";
import type { CliIo } from "../io.ts";
import { readLeniently } from "../line/lenient.ts";
import {
  mentionsOutput,
  needsOutput,
  readParsed,
  reportFindings,
  type Parsed,
} from "../request/parsed.ts";
import { passThrough } from "./pass-through.ts";
import { createReporter } from "../report/reporter.ts";
import { type BuildCommandLine, type BuildStart, isSet, lastValue } from "../line/build-line.ts";
import { createRequest } from "../request/request.ts";
import type { ResultFiles, ResultPaths } from "../report/result-files.ts";
import { reportResult } from "../report/result.ts";
import { selectEngine } from "../request/select-engine.ts";
import { showLines } from "../../visible.ts";

/** `xbuild [build] [flags] CONTEXT`. @returns the exit status. @throws XbuildError */
export async function runBuild(start: BuildStart, io: CliIo, signal: AbortSignal): Promise<number> {
  const lenient = await readLeniently(start, io);
  if (isSet(lenient.line, "help")) {
    io.stdout(showLines(renderHelp()));
    return 0;
  }
  const engine = selectEngine(lenient.line, io);
  const named = { line: lenient.line, sources: start.sources };
  const parsed = await readParsed(named, io, signal).catch((error: unknown) => {
    throw lenient.doubt ?? error;
  });
  if (parsed === undefined) return passThrough(engine, lenient, io, signal);
  const { sources, containerfile } = parsed;
  if (!mentionsOutput(containerfile)) return passThrough(engine, lenient, io, signal, { sources });
  // Where the target uses no OUTPUT, but others in the file have one, the engine must not see those.
  if (!needsOutput(parsed))
    return passThrough(engine, lenient, io, signal, { sources, lowered: containerfile });
  if (lenient.refusal !== undefined) throw lenient.refusal;
  return buildOutput({ words: start.words, line: lenient.line }, parsed, engine, io, signal);
}

async function buildOutput(
  { words, line }: Pick<BuildStart, "words"> & { readonly line: BuildCommandLine },
  parsed: Parsed,
  engine: Engine,
  terminal: CliIo,
  signal: AbortSignal,
): Promise<number> {
  const { containerfile, graph } = parsed;
  const request = await createRequest(line, parsed, engine, terminal);
  // Where stdout carries the image's files, words go to stderr.
  const io = request.destinations.some(isStdout)
    ? { ...terminal, stdout: terminal.stderr }
    : terminal;
  const reporter = createReporter(io, request.quiet);
  await reportFindings(parsed, engine, reporter.warn);
  const plan = createPlan(containerfile, graph);
  if (plan === undefined) throw usageError("the target has no OUTPUT");
  const started = Date.now();
  const now = `${new Date().toISOString().slice(0, 19)}Z`;
  const input = parsed.sources.file === "-" ? parsed.sources.bytes : undefined;
  const enterNamespace = (): Promise<number | undefined> =>
    engine.runInNamespace([...terminal.self, "build", ...words], input);
  const ports = { engine, reporter, signal, now, enterNamespace };
  const paths = {
    iidFile: lastValue(line, "iidfile"),
    metadataFile: lastValue(line, "metadata-file"),
  };
  const files = await prepareFiles(paths, terminal, ports);
  const result = await buildWithFiles(request, plan, ports, files);
  if ("continuedElsewhere" in result) return result.continuedElsewhere;
  reportResult(result, io, { quiet: request.quiet, milliseconds: Date.now() - started });
  return 0;
}

/** undefined where none are asked for: a build that has nothing to do loads nothing for them. */
async function prepareFiles(
  paths: ResultPaths,
  io: CliIo,
  ports: BuildPorts,
): Promise<ResultFiles | undefined> {
  if (paths.iidFile === undefined && paths.metadataFile === undefined) return undefined;
  const { createResultFiles } = await import("../report/result-files.ts");
  return createResultFiles(paths, io, ports);
}

async function buildWithFiles(
  request: BuildRequest,
  plan: BuildPlan,
  ports: BuildPorts,
  files: ResultFiles | undefined,
): Promise<BuildResult | Continued> {
  if (files === undefined) return buildImage(request, plan, ports);
  try {
    const result = await buildImage(request, plan, { ...ports, beforeNaming: files.prepare });
    if (!("continuedElsewhere" in result)) await files.place(result);
    return result;
  } finally {
    await files.discard();
  }
}

function isStdout(destination: Destination): boolean {
  return destination.kind === "files" && /^-$|(?:^|,)dest=-(?:,|$)/.test(destination.text);
}
