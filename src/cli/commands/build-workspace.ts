import type { Destination } from "../../delivery/delivery.ts";
import type { Engine } from "../../engine/engine.ts";
import {
  type BuildRequest,
  type BuildResult,
  type BuildWorkspace,
  type Continued,
  createShared,
  describeEvents,
} from "../../pipeline/pipeline.ts";
import { nameTargetLines, type Reporter } from "../../reporter.ts";
import { openStore } from "../../store/store.ts";
import type { CliIo } from "../io.ts";
import { type GivenFlags, lastValue, listValues, usageError } from "../line/arguments.ts";
import type { BuildCommandLine, BuildStart } from "../line/build-line.ts";
import { readMaxAge } from "../line/max-age.ts";
import { readProgress } from "../line/progress.ts";
import { parseCount } from "../line/values.ts";
import { type CliReporter, createReporter } from "../report/reporter.ts";
import type { ResultFiles } from "../report/result-files.ts";
import type { ResultOptions } from "../report/result.ts";
import { handOverContexts } from "../request/fetched-contexts.ts";
import type { Parsed } from "../request/parsed.ts";
import { readAccess } from "../request/registries.ts";
import { readReports, readShownLayers } from "../request/report-request.ts";
import { findStoreDirectory } from "../request/store-directory.ts";

/** A command line of `build` whose target has an OUTPUT. */
export interface OutputBuild {
  readonly words: readonly string[];
  readonly again?: readonly string[] | undefined;
  readonly line: BuildCommandLine;
  readonly parsed: Parsed;
  readonly engine: Engine;
  readonly beside?: BuildStart["beside"];
}

/** Where its build is done. Errors: `usage`; those of opening the store. */
export async function createWorkspace(
  { words, again = ["build", ...words], line, parsed: { sources }, engine, beside }: OutputBuild,
  reporter: Reporter,
  io: CliIo,
): Promise<BuildWorkspace> {
  const input = sources.file === "-" ? sources.bytes : undefined;
  return {
    ...(await openWorkspace(line, { engine, reporter }, io)),
    maxAge: readMaxAge(io.env),
    shared: beside?.shared ?? createShared(readJobs(line)),
    enterNamespace: () => engine.runInNamespace([...io.self, ...again], input, handOverContexts()),
  };
}

/** What every command has that makes an image. Errors: as above */
export async function openWorkspace(
  line: BuildCommandLine,
  { engine, reporter }: Pick<BuildWorkspace, "engine" | "reporter">,
  io: CliIo,
): Promise<BuildWorkspace> {
  const { signal } = io;
  return {
    engine,
    reporter,
    signal,
    store: await openStore(findStoreDirectory(io), describeEvents({ reporter, signal })),
    registries: readAccess(line, io),
    now: `${new Date().toISOString().slice(0, 19)}Z`,
  };
}

/** Makes an image, and puts the files that were asked for in their places where it goes well. */
export async function makeWithFiles<Made extends BuildResult | Continued>(
  files: ResultFiles | undefined,
  make: (work: BuildWorkspace) => Promise<Made>,
  work: BuildWorkspace,
): Promise<Made> {
  if (files === undefined) return make(work);
  try {
    const result = await make({ ...work, beforeNaming: files.prepare });
    if (!("continuedElsewhere" in result)) await files.place(result);
    return result;
  } finally {
    await files.discard();
  }
}

/** Tells of a build, with its name where others are built beside it. */
export function createBuildReporter(io: CliIo, { beside, line }: OutputBuild): CliReporter {
  const reporter = createReporter(io, { progress: readProgress(line, io) });
  if (beside?.label === undefined) return reporter;
  return { ...nameTargetLines(reporter, beside.label), result: reporter.result };
}

/** --jobs, else one for each builder that is named; 0: as many as there are. Errors: `usage` */
export function readJobs(line: GivenFlags): number {
  const builders = listValues(line, "builder").flatMap((one) => one.split(","));
  return parseCount(lastValue(line, "jobs") ?? String(Math.max(builders.length, 1)), "--jobs", 0);
}

/** What --iidfile, --metadata-file and --report ask for; undefined where they do not: then nothing is loaded for them. */
export async function prepareFiles(
  line: BuildCommandLine,
  io: CliIo,
  work: BuildWorkspace,
): Promise<ResultFiles | undefined> {
  const iidFile = lastValue(line, "iidfile");
  const metadataFile = lastValue(line, "metadata-file");
  const reports = readReports(line);
  if (iidFile === undefined && metadataFile === undefined && reports.length === 0) return undefined;
  const { createResultFiles } = await import("../report/result-files.ts");
  return createResultFiles({ iidFile, metadataFile, reports }, io, work);
}

/** Where stdout carries the image's files, or a report, words go to stderr, unless a program reads that. Errors: `usage` */
export function withWords(
  io: CliIo,
  { line }: Pick<OutputBuild, "line">,
  destinations: readonly Destination[],
): CliIo {
  const carries = destinations.some(isStdout);
  const report = readReports(line).find(({ path }) => path === "-");
  if (carries && report !== undefined)
    throw usageError(`${report.what}: standard output takes the image's files`, "name a file");
  if (!carries && report === undefined) return io;
  return { ...io, stdout: readProgress(line, io) === "rawjson" ? () => undefined : io.stderr };
}

/** How the result is told. Errors: `usage` */
export function createResultOptions(
  line: BuildCommandLine,
  { steps, reuse }: Pick<BuildRequest, "steps" | "reuse">,
): Omit<ResultOptions, "milliseconds"> {
  const layers = readShownLayers(line);
  return { quiet: steps.quiet, layers, isNamed: reuse.cacheFrom.length > 0 };
}

/** Where what is said in the end goes: others may be built beside. */
export function withReport(io: CliIo, { beside }: OutputBuild): CliIo {
  return beside?.report === undefined ? io : { ...io, stdout: beside.report };
}

function isStdout(destination: Destination): boolean {
  return destination.kind === "files" && /^-$|(?:^|,)dest=-(?:,|$)/.test(destination.text);
}
