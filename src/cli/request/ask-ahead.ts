import { parseImageName } from "../../oci/oci.ts";
import { parseCommandLine } from "../line/arguments.ts";
import { buildFlags } from "../line/build-flags.ts";
import { isSet, lastValue, listValues, type BuildCommandLine } from "../line/build-line.ts";
import type { CliIo } from "../io.ts";
import { isRemoteContext, locateSources } from "./locate.ts";
import { selectEngine } from "./select-engine.ts";

/**
 * Has the engine look for the images that a build will most likely ask for, so that it does so while
 * the rest of us is loaded: that takes as long. A guess that is wrong costs a query and changes nothing.
 */
export async function askAhead(words: readonly string[], io: CliIo): Promise<void> {
  const names = await listLikelyImages(words, io.cwd);
  if (names.length === 0) return;
  const engine = selectEngine(parseCommandLine(words, buildFlags), io);
  for (const name of names.slice(0, most)) engine.expectImage(name);
}

/** More side by side would only wait for each other. */
const most = 4;

/** What is wrong with the command line or the file is for the build to say; then there is nothing to guess. */
export async function listLikelyImages(
  words: readonly string[],
  cwd: string,
): Promise<readonly string[]> {
  try {
    const line = parseCommandLine(words, buildFlags);
    if (isSet(line, "help") || isSet(line, "no-cache")) return [];
    const text = await readText(line, cwd);
    return mentionsOutput.test(text) ? [...guessBases(text), ...guessLoaded(line)] : [];
  } catch {
    return [];
  }
}

const mentionsOutput = /^[ \t]*OUTPUT[ \t]/im;

/** Images of FROM that are written without a variable. */
function guessBases(text: string): readonly string[] {
  const pattern = /^[ \t]*FROM[ \t]+(?:--\S+[ \t]+)*([^\s$]+)(?:[ \t]+AS[ \t]+(\S+))?[ \t]*\r?$/gim;
  const found = [...text.matchAll(pattern)];
  const known = new Set(["scratch", ...found.map((match) => match[2])]);
  return [...new Set(found.map((match) => match[1] ?? ""))].filter((name) => !known.has(name));
}

/** The names under which the engine's storage should have the image. */
function guessLoaded(line: BuildCommandLine): readonly string[] {
  const goesElsewhere = isSet(line, "push") || listValues(line, "output").length > 0;
  if (isSet(line, "no-load") || (goesElsewhere && !isSet(line, "load"))) return [];
  return listValues(line, "tag").map((tag) => parseImageName(tag).full);
}

/** Standard input can be read but once, and not here. */
async function readText(line: BuildCommandLine, cwd: string): Promise<string> {
  const file = lastValue(line, "file");
  const operand = line.operands.at(-1);
  if (file === "-" || [file, operand].some((one) => one !== undefined && isRemoteContext(one))) {
    return "";
  }
  const { bytes } = await locateSources(file, operand, cwd, { isGuess: true });
  return Buffer.from(bytes).toString("latin1");
}
