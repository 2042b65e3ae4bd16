import { resolve } from "node:path";
import type { Containerfile } from "../../containerfile/containerfile.ts";
import type { Engine } from "../../engine/engine.ts";
import { omitOutputs } from "../../plan/plan.ts";
import { isRegistry } from "../../copy/copy.ts";
import { usageError, type GivenFlag } from "../line/arguments.ts";
import type { BuildFlag } from "../line/build-flags.ts";
import type { CliIo } from "../io.ts";
import type { LenientLine } from "../line/lenient.ts";
import { findIgnoreFile, type Sources } from "../request/locate.ts";
import { lastValue, listValues } from "../line/build-line.ts";
import { readArgumentFile, splitPair } from "../line/values.ts";

/** What has been read of a command line that is the engine's. */
export interface PassedSources {
  readonly sources?: Sources;
  /** A file whose OUTPUT stages the target does not use: the engine gets it without them. */
  readonly lowered?: Containerfile;
}

/**
 * A build without OUTPUT: the engine's own, with every flag as it was given, its streams, its
 * result and its exit status.
 */
export async function passThrough(
  engine: Engine,
  lenient: LenientLine,
  io: CliIo,
  signal: AbortSignal,
  { sources, lowered }: PassedSources = {},
): Promise<number> {
  const { line } = lenient;
  refuseOwnFlags(lenient);
  const redacted = new Set(listValues(line, "redact"));
  const replaced = findReplaced(sources, lowered);
  const flags = line.flags.filter(
    (one) =>
      isForEngine(one, lenient, engine, replaced !== undefined) && !isRedacted(one, redacted),
  );
  const fromFiles = await readArgumentFiles(lenient, io, signal);
  const hidden = line.flags.filter((one) => isRedacted(one, redacted)).map((one) => one.value);
  const args = [
    ...fromFiles.filter((word) => !word.includes("=")).map((name) => `--build-arg=${name}`),
    ...flags.flatMap((one) => one.words),
    ...(sources === undefined
      ? []
      : await renderFile(lenient, io, sources, replaced !== undefined)),
    ...line.operands,
    ...line.rest,
  ];
  return engine.passThrough(args, {
    input: replaced ?? (sources?.file === "-" ? sources.bytes : undefined),
    hiddenArgs: new Map([...fromFiles, ...hidden].flatMap(splitValue)),
  });
}

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
  lenient: LenientLine,
  engine: Engine,
  isReplaced: boolean,
): boolean {
  const { name, ours } = flag.spec;
  if (isReplaced && (name === "file" || name === "ignorefile")) return false;
  // It stands before the command.
  if (engine.ownFlags.has(name)) return false;
  return !ours || lenient.engineFlags.some((one) => one.name === name);
}

/** Flags that ask for something that only an image of chosen layers has, and what to do instead. */
const ownFlagHints: Readonly<Record<string, string>> = {
  "metadata-file": "leave it out: the engine builds this file by itself",
  "no-load": "leave it out: the engine builds this file by itself",
  push: "leave it out, and push the image with the engine's own push",
  input: "leave it out: the engine builds this file by itself",
  "trust-cache": "leave it out: the engine builds this file by itself",
  "env-cache-from": "use --cache-from: the engine builds this file by itself",
  "env-cache-to": "use --cache-to: the engine builds this file by itself",
};

function refuseOwnFlags({ line, engineFlags }: LenientLine): void {
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

/** Where the engine cannot read them. */
async function readArgumentFiles(
  { line, engineFlags }: LenientLine,
  io: CliIo,
  signal: AbortSignal,
): Promise<readonly string[]> {
  if (engineFlags.some((one) => one.name === "build-arg-file")) return [];
  const paths = listValues(line, "build-arg-file").map((path) => resolve(io.cwd, path));
  const words = await Promise.all(paths.map((path) => readArgumentFile(path, signal)));
  return words.flat();
}

/** The engine looks for the two names that it knows; any other file must be named to it. */
async function renderFile(
  { line }: LenientLine,
  io: CliIo,
  sources: Sources,
  isReplaced: boolean,
): Promise<readonly string[]> {
  if (isReplaced) {
    const named = lastValue(line, "ignorefile");
    const ignore = await findIgnoreFile(named, sources.file, sources.context, io.cwd);
    return ["--file=-", ...(ignore === undefined ? [] : [`--ignorefile=${ignore}`])];
  }
  const known = lastValue(line, "file") !== undefined || !sources.file.endsWith("Containerfile.x");
  return known ? [] : [`--file=${resolve(io.cwd, sources.file)}`];
}

/** What the engine reads from its standard input instead of the file: a pipe has been read already. */
function findReplaced(
  sources: Sources | undefined,
  lowered: Containerfile | undefined,
): Uint8Array | undefined {
  if (lowered !== undefined) return Buffer.from(omitOutputs(lowered), "latin1");
  return sources?.isPipe === true ? sources.bytes : undefined;
}
