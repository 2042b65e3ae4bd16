import { lstat, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Engine, idleEngine } from "../../engine/engine.ts";
import type { CollectRequest } from "../../pipeline/pipeline.ts";
import type { CliIo } from "../io.ts";
import { isSet, lastValue, listValues, parseCommandLine, usageError } from "../line/arguments.ts";
import { type BuildFlag, buildFlags } from "../line/build-flags.ts";
import type { BuildCommandLine } from "../line/build-line.ts";
import { asksForSeveral } from "./platform.ts";
import { parseSource } from "./rebase-request.ts";
import { createRequest } from "./request.ts";
import { selectEngine } from "./select-engine.ts";

/** The flags of `build` that say something where nothing is built. */
const shared = new Set(
  "tag output push load no-load cache-from ignore-cache-errors trust-cache input tls-verify creds authfile cert-dir retry retry-delay platform label annotation timestamp iidfile metadata-file report layers cache-tags history progress quiet format max-layers max-layer-size allow-devices engine engine-arg help".split(
    " ",
  ),
);

function own(name: string, kind: BuildFlag["kind"]): BuildFlag {
  return { name, kind, role: "own", ours: true };
}

/** Every flag of `xbuild collect`. */
const collectFlags: readonly BuildFlag[] = [
  own("prepare", "boolean"),
  own("from", "value"),
  own("reuse", "value"),
  own("compression", "value"),
  ...buildFlags.filter(({ name }) => shared.has(name)),
];

/** Takes a command line apart. Errors: `usage` */
export function readCollectLine(words: readonly string[]): BuildCommandLine {
  return parseCommandLine(words, collectFlags);
}

/** What a command line of `collect` asks for. */
export interface CollectLine {
  /** All but the output, which is to be found. */
  readonly request: Omit<CollectRequest, "output">;
  /** Absolute, its links followed: it need not be there. */
  readonly directory: string;
  readonly engine: Engine;
}

/** Errors: `usage`, `name-invalid`, `output-destination`; `engine-not-found` where the image is to be loaded. */
export async function createCollectRequest(
  line: BuildCommandLine,
  io: CliIo,
): Promise<CollectLine> {
  const [operand, ...more] = [...line.operands, ...line.rest];
  if (operand === undefined || more.length > 0)
    throw usageError("collect needs one directory", "name the one that has output/ in it");
  if (asksForSeveral(line))
    throw usageError(
      "collect makes the image of one platform",
      "collect each by itself, and put them into a list with xbuild build or the engine",
    );
  const directory = await followLinks(resolve(io.cwd, operand));
  const sources = {
    file: "-",
    bytes: new Uint8Array(),
    context: directory,
    identity: directory,
  };
  const given = {
    buildArgs: new Map(),
    hiddenArgs: new Set<string>(),
    redacted: new Set<string>(),
  };
  const idle = { parsed: { sources, given }, engine: idleEngine() };
  const built = await createRequest({ ...line, operands: [], rest: [] }, idle, io);
  const from = await Promise.all(listValues(line, "from").map((text) => parseSource(text, io)));
  // No engine has anything to do with it, unless it is asked to.
  const delivery = { ...built.delivery, load: isSet(line, "load") };
  const asksEngine = delivery.load || delivery.destinations.some(({ kind }) => kind === "files");
  return {
    request: { ...built, delivery, options: readOptions(line), from },
    directory,
    engine: asksEngine ? selectEngine(line, io) : idle.engine,
  };
}

function readOptions(line: BuildCommandLine): CollectRequest["options"] {
  return {
    reuse: pick(line, "reuse", ["content", "exact"]),
    compression: pick(line, "compression", ["gzip", "zstd", "none"]) ?? "gzip",
  };
}

function pick<Value extends string>(
  line: BuildCommandLine,
  name: string,
  values: readonly Value[],
): Value | undefined {
  const text = lastValue(line, name);
  const value = values.find((one) => one === text);
  if (text === undefined || value !== undefined) return value;
  throw usageError(`--${name} cannot be ${text}: use ${values.join(" or ")}`);
}

async function followLinks(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}

/** What only an output directory has in it; a layers directory has a `history.json`, too. */
const outputNames = ["layers", "blobs", "history.jsonl", "config.json", "annotations.json"];

/**
 * The output directory that is meant: the `output/` of a layers directory, or the directory itself. Errors: `usage` where
 * it is not there, or may be either.
 */
export async function findOutput(directory: string): Promise<string> {
  if (!(await isDirectory(directory)))
    throw usageError(`${directory} is not a directory`, "name a layers directory, or its output/");
  const nested = join(directory, "output");
  if (!(await isDirectory(nested))) return directory;
  const found = await Promise.all(outputNames.map((name) => exists(join(directory, name))));
  const name = outputNames.find((_, index) => found[index]);
  if (name === undefined) return nested;
  throw usageError(
    `${directory} has both output/ and ${name}, so it may be a layers directory or an output itself`,
    `name ${nested}, or remove the one that is not meant`,
  );
}

async function isDirectory(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isDirectory() === true;
}

async function exists(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined)) !== undefined;
}
