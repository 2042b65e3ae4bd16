import { readSync } from "node:fs";
import {
  closeDirectory,
  closeFile,
  openFile,
  openOutput,
  statName,
} from "../../archive/archive.ts";
import { XbuildError } from "../../errors.ts";
import { suggestName } from "../../suggest.ts";
import { listSome, quoteText } from "../../text.ts";
import { indexPrevious } from "../collect/previous.ts";
import type { PreviousImages } from "../model.ts";
import { unknownNameFile } from "./helper-notes.ts";

/** Bytes of a name that are looked at. */
const maxLength = 1024;

/**
 * What a step that failed should know of the name that `layer keep` did not find last, as a hint; undefined where there
 * is none.
 */
export function explainUnknownName(
  outputDirectory: string,
  previous: PreviousImages,
): string | undefined {
  const name = readUnknownName(outputDirectory);
  if (name === undefined) return undefined;
  const known = [...indexPrevious(previous).byName.keys()];
  const near = suggestName(name, known) ?? listVersions(name, known);
  const found = `layer keep ${quoteText(name)} found no layer of that name`;
  if (known.length === 0)
    return `${found}, for there is no previous image: write layer keep NAME || layer add NAME ...`;
  const question = near === undefined ? "" : ` (did you mean ${near}?)`;
  return `${found} in the previous image${question}: write layer keep NAME || layer add NAME ...`;
}

/** Names that begin as this one does, up to its version; undefined where there are none. */
function listVersions(name: string, known: readonly string[]): string | undefined {
  const stem = name.replace(/[-_:=]\d.*$/s, "");
  const near = known.filter((one) => one.startsWith(`${stem}-`) || one === stem);
  return stem === "" || near.length === 0 ? undefined : listSome(near, 3);
}

/** The name that `layer keep` did not find last, where nothing was kept or added since; undefined where there is none. */
function readUnknownName(outputDirectory: string): string | undefined {
  try {
    return unescapeName(readStart(outputDirectory).split("\n", 1)[0] ?? "");
  } catch (error) {
    // The step may have put anything there: an explanation is not worth an error of its own.
    if (error instanceof XbuildError || (error instanceof Error && "code" in error)) {
      return undefined;
    }
    throw error;
  }
}

function readStart(outputDirectory: string): string {
  const output = openOutput(outputDirectory);
  try {
    if (statName(output, unknownNameFile) === undefined) return "";
    const file = openFile(output, unknownNameFile);
    try {
      const bytes = Buffer.alloc(maxLength);
      return bytes.toString("utf8", 0, readSync(file.fd, bytes, 0, maxLength, 0));
    } finally {
      closeFile(file);
    }
  } finally {
    closeDirectory(output);
  }
}

/** As in `names`. */
function unescapeName(text: string): string | undefined {
  const characters: Readonly<Record<string, string>> = { n: "\n", t: "\t" };
  const name = text.replace(/\\(.)/gs, (_, one: string) => characters[one] ?? one);
  return name === "" ? undefined : name;
}
