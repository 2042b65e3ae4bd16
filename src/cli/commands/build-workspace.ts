import type { Destination } from "../../delivery/delivery.ts";
import type { Engine } from "../../engine/engine.ts";
import {
  type BuildRequest,
  type BuildWorkspace,
  createShared,
  describeEvents,
} from "../../pipeline/pipeline.ts";
import { nameTargetLines, type Reporter } from "../../reporter.ts";
import { openStore } from "../../store/store.ts";
import type { CliIo } from "../io.ts";
import { type GivenFlags, lastValue, usageError } from "../line/arguments.ts";
import type { BuildCommandLine, BuildStart } from "../line/build-line.ts";
import { readMaxAge } from "../line/max-age.ts";
import { parseCount } from "../line/values.ts";
import { createReporter } from "../report/reporter.ts";
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
  readonly line: BuildCommandLine;
  readonly parsed: Parsed;
  readonly engine: Engine;
  readonly beside?: BuildStart["beside"];
}

/** Where its build is done. Errors: `usage`; those of opening the store. */
export async function createWorkspace(
  { words, line, parsed: { sources }, engine, beside }: OutputBuild,
  reporter: Reporter,
  io: CliIo,
): Promise<BuildWorkspace> {
  const { signal } = io;
  const input = sources.file === "-" ? sources.bytes : undefined;
  return {
    engine,
    reporter,
    signal,
    store: await openStore(findStoreDirectory(io), describeEvents({ reporter, signal })),
    registries: readAccess(line, io),
    maxAge: readMaxAge(io.env),
    now: `${new Date().toISOString().slice(0, 19)}Z`,
    shared: beside?.shared ?? createShared(readJobs(line)),
    enterNamespace: () =>
      engine.runInNamespace([...io.self, "build", ...words], input, handOverContexts()),
  };
}

/** Tells of a build, with its name where others are built beside it. */
export function createBuildReporter(
  io: CliIo,
  { beside }: OutputBuild,
  options: Parameters<typeof createReporter>[1],
): Reporter {
  const reporter = createReporter(io, options);
  return beside?.label === undefined ? reporter : nameTargetLines(reporter, beside.label);
}

/** --jobs; 0: as many as there are. Errors: `usage` */
export function readJobs(line: GivenFlags): number {
  return parseCount(lastValue(line, "jobs") ?? "1", "--jobs", 0);
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

/** Where stdout carries the image's files, or a report, words go to stderr. Errors: `usage` */
export function withWords(
  io: CliIo,
  { line }: Pick<OutputBuild, "line">,
  destinations: readonly Destination[],
): CliIo {
  const carries = destinations.some(isStdout);
  const report = readReports(line).find(({ path }) => path === "-");
  if (carries && report !== undefined)
    throw usageError(`${report.what}: standard output takes the image's files`, "name a file");
  return carries || report !== undefined ? { ...io, stdout: io.stderr } : io;
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
