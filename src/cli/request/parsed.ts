import {
  checkContainerfile,
  type Containerfile,
  mistypesOutput,
  needsVersion,
  parseContainerfile,
  resolveStages,
  type StageGraph,
} from "../../containerfile/containerfile.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import { describeEngine, type Engine } from "../../engine/engine.ts";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { isSet, usageError, lastValue, listValues } from "../line/arguments.ts";
import type { CliIo } from "../io.ts";
import { foldUnused } from "./findings.ts";
import { locateAnywhere, type NamedAnywhere } from "./locate-anywhere.ts";
import type { Sources } from "./locate.ts";
import {
  hostPlatform,
  readBuildArgs,
  type GivenArguments,
  type BuildCommandLine,
} from "../line/build-line.ts";
import { splitPair } from "../line/values.ts";
import { guessPlatform } from "./platform.ts";

/** What a command line of `build` names, read and parsed. */
export interface Parsed {
  readonly sources: Sources;
  readonly containerfile: Containerfile;
  readonly graph: StageGraph;
  readonly given: GivenArguments;
  /** Those that the same call builds beside it. */
  readonly otherTargets: readonly (string | undefined)[];
}

/** A command line, and the file that it names if that has been read already. */
export interface NamedFile {
  readonly line: BuildCommandLine;
  readonly sources?: Sources | undefined;
  readonly otherTargets?: readonly (string | undefined)[] | undefined;
}

/**
 * Reads the Containerfile that a command line names; undefined where only the engine can.
 * @throws XbuildError `file-not-found`, `context-not-found`, `usage`
 */
export async function readParsed(named: NamedFile, io: CliIo): Promise<Parsed | undefined> {
  const { line, otherTargets = [] } = named;
  const sources = named.sources ?? (await readSources(line, io));
  if (sources === undefined) return undefined;
  const containerfile = parseContainerfile(sources.bytes, sources.file);
  if (sources.file.endsWith(".in") && mentionsOutput(containerfile))
    throw preprocessed(sources.file);
  const given = await readBuildArgs(line, io);
  const graph = resolveFor({ containerfile, given, otherTargets }, line, guessPlatform(line));
  return { sources, containerfile, given, otherTargets, graph };
}

/** buildah runs the C preprocessor over such a file; what it would make of an OUTPUT is not ours to guess. */
function preprocessed(file: string): XbuildError {
  return usageError(
    `${file} has an OUTPUT, but its name ends in .in, so buildah would preprocess it`,
    `preprocess it yourself (cpp -P -traditional ${file}) and build the result with -f`,
  );
}

/** Whether the file has an OUTPUT anywhere; if not, it is the engine's alone. */
export function mentionsOutput(containerfile: Containerfile): boolean {
  return containerfile.instructions.some((one) => one.keyword === "OUTPUT");
}

/** Whether what is built has to do with an OUTPUT, or cannot be known for errors; one before the first FROM is an error. */
export function needsOutput({ containerfile, graph }: Parsed): boolean {
  return (
    hasErrors(containerfile, graph) ||
    containerfile.preamble.some(({ keyword }) => keyword === "OUTPUT") ||
    graph.needed.some((index) => graph.stages[index]?.output !== undefined)
  );
}

/** undefined where only the engine can read them: several files that have no OUTPUT. */
export async function readSources(line: BuildCommandLine, io: CliIo): Promise<Sources | undefined> {
  const files = listValues(line, "file");
  // As pflag's users know it, the last operand counts where a flag of the engine's took one for itself.
  const operand = line.operands.at(-1);
  const [first, ...more] = files;
  const isQuiet = isSet(line, "quiet");
  const sources = await locateAnywhere({ file: first, context: operand, isQuiet }, io);
  for (const file of more) await assertPlain({ file, context: operand, isQuiet }, io);
  if (more.length === 0) return sources;
  if (mentionsOutput(parseContainerfile(sources.bytes, sources.file)))
    throw severalFiles(sources.file);
  // What came on standard input is read already.
  return sources.fetched?.kind === "input" ? sources : undefined;
}

async function assertPlain(
  named: NamedAnywhere & { readonly file: string },
  io: CliIo,
): Promise<void> {
  const { bytes } = await locateAnywhere(named, io);
  if (mentionsOutput(parseContainerfile(bytes, named.file))) throw severalFiles(named.file);
}

function severalFiles(file: string): XbuildError {
  return usageError(
    `${file} has an OUTPUT, so it must be the only -f`,
    "put all stages into one file",
  );
}

/** What the file means for a platform. */
export function resolveFor(
  { containerfile, given, otherTargets }: Omit<Parsed, "sources" | "graph">,
  line: BuildCommandLine,
  platform: string,
): StageGraph {
  const target = lastValue(line, "target");
  return resolveStages(containerfile, {
    ...(target === undefined ? {} : { target }),
    otherTargets,
    buildArgs: given.buildArgs,
    buildContexts: new Set(listValues(line, "build-context").map((word) => splitPair(word)[0])),
    targetPlatform: platform,
    buildPlatform: hostPlatform(),
  });
}

function hasErrors(containerfile: Containerfile, graph: StageGraph): boolean {
  return [...containerfile.diagnostics, ...graph.diagnostics].some(
    (one) => one.severity === "error",
  );
}

/** What deserves a word at every build; advice on style is for `xbuild check`. */
function isBuildWarning(finding: Diagnostic): boolean {
  return finding.severity === "warning" && /^(?:output|layers|engine)-/.test(finding.code);
}

/**
 * Ends a build whose target has a word where OUTPUT was meant: the engine would say no more than that it does not know it.
 * A file that is preprocessed has words of its own. @throws XbuildError `containerfile-invalid`
 */
export async function refuseMistyped(parsed: Parsed, choose: () => Engine): Promise<void> {
  if (parsed.sources.file.endsWith(".in") || !mistypesOutput(parsed.graph)) return;
  await reportFindings(parsed, choose(), () => undefined);
}

/** Warnings are told; errors end the build, all of them at once. */
export async function reportFindings(
  { containerfile, graph }: Parsed,
  engine: Engine,
  warn: (diagnostic: Diagnostic) => void,
): Promise<void> {
  // Asked for only where it matters: it costs a start of the engine.
  const options = needsVersion(containerfile, graph)
    ? { engine: await describeEngine(engine) }
    : {};
  const findings = checkContainerfile(containerfile, graph, options);
  const errors = findings.filter((one) => one.severity === "error");
  for (const finding of foldUnused(findings)) if (isBuildWarning(finding)) warn(finding);
  if (errors.length === 0) return;
  const { underlineParts } = await import("../../containerfile/containerfile.ts");
  const isUsage = errors.every((one) => one.code === "target-not-found");
  throw new XbuildError("containerfile-invalid", `${containerfile.file} cannot be built`, {
    diagnostics: underlineParts(errors, containerfile),
    exitStatus: isUsage ? exitStatuses.usage : exitStatuses.refused,
  });
}
