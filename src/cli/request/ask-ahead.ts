import { isSet, lastValue, listValues } from "../line/arguments.ts";
import {
  readKeyword,
  splitCommand,
  splitInstructions,
  upperCaseKeyword,
} from "../../../grammar/grammar.ts";
import { decodeText, toSourceText } from "../../containerfile/containerfile.ts";
import { parseImageName } from "../../oci/oci.ts";
import { type BuildCommandLine, type BuildStart, readBuildLine } from "../line/build-line.ts";
import type { CliIo } from "../io.ts";
import { isRemoteContext, locateSources, type Sources } from "./locate.ts";
import { selectEngine } from "./select-engine.ts";

/**
 * Reads the command line and the file, and has the engine look for the images that a build will most likely ask
 * for, so that it does so while the rest of us is loaded: that takes as long. A guess that is wrong costs a query
 * and changes nothing; what is wrong with the command line or the file is for the build to say.
 */
export async function beginBuild(words: readonly string[], io: CliIo): Promise<BuildStart> {
  const read = readBuildLine(words);
  if (read.line === undefined || isSet(read.line, "help")) return { words, read };
  const sources = await readSources(read.line, io);
  if (sources === undefined) return { words, read };
  const names = isSet(read.line, "no-cache") ? [] : listLikelyImages(read.line, sources.bytes);
  const engine = names.length === 0 ? undefined : selectEngine(read.line, io);
  for (const name of names.slice(0, most)) engine?.expectImage(name);
  return { words, read, sources };
}

/** More side by side would only wait for each other. */
const most = 4;

/** Standard input, a pipe and another machine's file can be read but once, and not here; of several files none is. */
async function readSources(line: BuildCommandLine, io: CliIo): Promise<Sources | undefined> {
  const file = lastValue(line, "file");
  const operand = line.operands.at(-1);
  if (file === "-" || listValues(line, "file").length > 1) return undefined;
  if ([file, operand].some((one) => one !== undefined && isRemoteContext(one))) return undefined;
  try {
    return await locateSources({ file, context: operand }, io, { isGuess: true });
  } catch {
    return undefined;
  }
}

/** Bases, and what the image is to be called in the engine's storage; none for a file without OUTPUT. */
export function listLikelyImages(line: BuildCommandLine, bytes: Uint8Array): readonly string[] {
  const { escape, texts } = splitInstructions(toSourceText(bytes));
  const keywords = texts.map((text) => upperCaseKeyword(readKeyword(text).keyword));
  if (!keywords.includes("OUTPUT")) return [];
  const froms = texts.filter((_, index) => keywords[index] === "FROM");
  try {
    return [...guessBases(froms, escape), ...guessLoaded(line)];
  } catch {
    return [];
  }
}

/** Images of FROM that are written without a variable. */
function guessBases(froms: readonly string[], escape: string): readonly string[] {
  const words = froms.map((text) =>
    decodeText(splitCommand(text, escape).args).split(/[\t\v\f\r ]+/),
  );
  const known = new Set(["scratch", ...words.map(([, , name]) => name?.toLowerCase())]);
  const bases = words.map(([base = ""]) => base);
  return [...new Set(bases)].filter(
    (base) => base !== "" && !base.includes("$") && !known.has(base),
  );
}

/** The names under which the engine's storage should have the image. */
function guessLoaded(line: BuildCommandLine): readonly string[] {
  const goesElsewhere = isSet(line, "push") || listValues(line, "output").length > 0;
  if (isSet(line, "no-load") || (goesElsewhere && !isSet(line, "load"))) return [];
  return listValues(line, "tag").map((tag) => parseImageName(tag).full);
}
