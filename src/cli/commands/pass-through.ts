import { resolve } from "node:path";
import type { Containerfile } from "../../containerfile/containerfile.ts";
import type { Engine, ProgramInput } from "../../engine/engine.ts";
import { omitOutputs } from "../../plan/plan.ts";
import { isRegistry } from "../../copy/copy.ts";
import { quoteItem } from "../../engine/engine.ts";
import { exitStatuses } from "../../errors.ts";
import { show } from "../../visible.ts";
import { usageError, type GivenFlag, isSet, lastValue, listValues } from "../line/arguments.ts";
import type { BuildFlag } from "../line/build-flags.ts";
import type { CliIo } from "../io.ts";
import type { LenientLine } from "../line/lenient.ts";
import { findIgnoreFile } from "../request/ignore-file.ts";
import { isReportFlag } from "../request/report-request.ts";
import type { Sources } from "../request/locate.ts";
import type { BuildCommandLine } from "../line/build-line.ts";
import { readProgress } from "../line/progress.ts";
import { readArgumentFile, splitPair } from "../line/values.ts";

/** A build that is the engine's, and what has been read for it. */
export interface PassedBuild {
  readonly engine: Engine;
  readonly sources?: Sources;
  /** A file whose OUTPUT stages the target does not use: the engine gets it without them. */
  readonly lowered?: Containerfile;
}

/**
 * A build without OUTPUT: the engine's own, with every flag as it was given, its streams, its
 * result and its exit status.
 */
export async function passThrough(
  given: LenientLine,
  { engine, sources, lowered }: PassedBuild,
  io: CliIo,
): Promise<number> {
  const { line } = given;
  const lenient = await askOfProgress(given, engine);
  const quiet = readProgress(line, io) === "quiet" && !isSet(line, "quiet") ? ["--quiet"] : [];
  assertForEngine(lenient);
  assertLoadable(lenient, engine);
  const redacted = new Set(listValues(line, "redact"));
  const text = readText(sources, lowered);
  const flags = line.flags
    .filter((one) => isForEngine(one, lenient, engine) && !isRedacted(one, redacted))
    .filter((one) => text === undefined || !fileFlags.has(one.spec.name));
  const fromFiles = await readArgumentFiles(lenient, io);
  const hidden = line.flags.filter((one) => isRedacted(one, redacted)).map((one) => one.value);
  const nameFile = text === undefined ? nameFoundFile : nameStandardInput;
  const context = placeContext(line, sources, { isLowered: text !== undefined });
  const args = [
    ...quiet,
    ...fromFiles.filter((word) => !word.includes("=")).map((name) => `--build-arg=${name}`),
    ...flags.flatMap((one) => one.words),
    ...(sources === undefined ? [] : await nameFile(line, { ...sources, engine }, io)),
    ...context.operands,
    ...line.rest,
  ];
  const status = await engine.passThrough(args, {
    input: text ?? context.input,
    hiddenArgs: new Map([...fromFiles, ...hidden].flatMap(splitValue)),
  });
  if (status === exitStatuses.usage) suggestFlag(lenient, io);
  return status;
}

/** Behind the engine's own words for a flag that it does not know. */
function suggestFlag({ unknownFlag }: LenientLine, io: CliIo): void {
  const hint = unknownFlag?.hint;
  if (hint?.startsWith("did you mean") === true) io.stderr(show`xbuild: ${hint}\n`);
}

interface PlacedContext {
  readonly operands: readonly string[];
  readonly input?: ProgramInput | undefined;
}

/**
 * The operands for the engine, and what it reads from its standard input. What came from there goes on as it came, and
 * so does what a URL gave, so that it is fetched once; a repository the engine clones by itself, in its own way.
 */
function placeContext(
  { operands }: BuildCommandLine,
  sources: Sources | undefined,
  { isLowered }: { readonly isLowered: boolean },
): PlacedContext {
  const ownInput = sources?.file === "-" ? sources.bytes : undefined;
  if (sources?.fetched === undefined) return { operands, input: ownInput };
  const { context, fetched } = sources;
  // Its standard input is the Containerfile.
  if (isLowered) return { operands: [...operands.slice(0, -1), context] };
  const { archive } = fetched;
  if (archive === undefined || ownInput !== undefined) return { operands, input: ownInput };
  return { operands: [...operands.slice(0, -1), "-"], input: { path: archive } };
}

/**
 * Whether the engine knows --progress is asked where it is given: none up to buildah 1.44 does. One elsewhere has flags
 * that are ours alone with the others (--push).
 */
async function askOfProgress(lenient: LenientLine, engine: Engine): Promise<LenientLine> {
  const { line, engineFlags } = lenient;
  const isDoubtful = lastValue(line, "progress") !== undefined || engine.isElsewhere;
  if (engineFlags.length > 0 || !isDoubtful) return lenient;
  return { ...lenient, engineFlags: await engine.listBuildFlags() };
}

/** What the engine reads from its standard input instead of the file: a pipe has been read already. */
function readText(
  sources: Sources | undefined,
  lowered: Containerfile | undefined,
): Uint8Array | undefined {
  if (lowered !== undefined) return Buffer.from(omitOutputs(lowered), "latin1");
  return sources?.isPipe === true ? sources.bytes : undefined;
}

/** Given anew where the engine reads its standard input instead. */
const fileFlags: ReadonlySet<string> = new Set(["file", "ignorefile"]);

/** Whether it gives a value that must not stand on the engine's command line. */
function isRedacted({ spec, value }: GivenFlag, redacted: ReadonlySet<string>): boolean {
  const equals = value.indexOf("=");
  return spec.name === "build-arg" && equals >= 0 && redacted.has(value.slice(0, equals));
}

function splitValue(word: string): readonly (readonly [string, string])[] {
  const [name, value] = splitPair(word);
  return value === undefined ? [] : [[name, value]];
}

function isForEngine(
  flag: GivenFlag<BuildFlag>,
  { engineFlags }: LenientLine,
  engine: Engine,
): boolean {
  const { name, ours } = flag.spec;
  // It stands before the command.
  if (engine.ownFlags.has(name)) return false;
  if (isReportFlag(flag)) return false;
  return !ours || engineFlags.some((one) => one.name === name);
}

/** Flags that ask for something that only an image of chosen layers has, and what to do instead. */
const ownFlagHints: Readonly<Record<string, string>> = {
  "metadata-file": "leave it out: the engine builds this file by itself",
  report: "leave it out: the engine builds this file by itself",
  "no-load": "leave it out: the engine builds this file by itself",
  "keep-output": "leave it out: the engine builds this file by itself",
  "on-error": "leave it out: the engine builds this file by itself",
  push: "leave it out, and push the image with the engine's own push",
  input: "leave it out: the engine builds this file by itself",
  "cache-tags": "leave it out: the engine builds this file by itself",
  history: "leave it out: the engine builds this file by itself",
  "trust-cache": "leave it out: the engine builds this file by itself",
  "env-cache-from": "use --cache-from: the engine builds this file by itself",
  "env-cache-to": "use --cache-to: the engine builds this file by itself",
};

/** Errors: `usage` for a flag that only a target with OUTPUT gives a meaning. */
export function assertForEngine({ line, engineFlags }: LenientLine): void {
  for (const [name, hint] of Object.entries(ownFlagHints)) {
    if (listValues(line, name).length === 0 || engineFlags.some((one) => one.name === name))
      continue;
    throw usageError(`--${name} needs a target with OUTPUT`, hint);
  }
  // The engine would take it for the path of a directory.
  const registry = listValues(line, "output").find(isRegistry);
  if (registry === undefined) return;
  throw usageError(`-o ${registry} needs a target with OUTPUT`, ownFlagHints["push"]);
}

/** An engine that holds no images loads by a flag of its own, or not at all. Errors: `usage` */
function assertLoadable({ line, engineFlags }: LenientLine, engine: Engine): void {
  if (!engine.isElsewhere || !isSet(line, "load")) return;
  if (engineFlags.some(({ name }) => name === "load")) return;
  throw usageError(
    "--load needs a target with OUTPUT, or a builder of buildx",
    "push the image with --push, or write it with -o type=docker,dest=FILE",
  );
}

/** Where the engine cannot read them. */
async function readArgumentFiles(
  { line, engineFlags }: LenientLine,
  io: CliIo,
): Promise<readonly string[]> {
  if (engineFlags.some((one) => one.name === "build-arg-file")) return [];
  const paths = listValues(line, "build-arg-file").map((path) => resolve(io.cwd, path));
  const words = await Promise.all(paths.map((path) => readArgumentFile(path, io.signal)));
  return words.flat();
}

async function nameStandardInput(
  line: BuildCommandLine,
  sources: NamedSources,
  io: CliIo,
): Promise<readonly string[]> {
  const ignore = await findIgnoreFile(lastValue(line, "ignorefile"), sources, io.cwd);
  return ["--file=-", ...(ignore === undefined ? [] : [`--ignorefile=${ignore}`])];
}

/** The sources, and who is to read them. */
type NamedSources = Sources & Pick<PassedBuild, "engine">;

/** The engine looks for the two names that it knows; any other file must be named to it. */
function nameFoundFile(
  line: BuildCommandLine,
  { file, fetched, engine }: NamedSources,
  io: CliIo,
): readonly string[] {
  // BuildKit's clients look for a Dockerfile alone.
  const looks = !engine.isElsewhere && !file.endsWith("Containerfile.x");
  const isKnown = lastValue(line, "file") !== undefined || looks;
  // In a context that is elsewhere the engine looks for it itself.
  const path = fetched === undefined ? resolve(io.cwd, file) : file;
  return isKnown ? [] : [`--file=${quoteItem(path)}`];
}
