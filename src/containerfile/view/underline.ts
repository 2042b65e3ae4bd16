import type { Diagnostic } from "../../diagnostics.ts";
import { createLocator, narrowSpan, toSourceRange } from "../locate.ts";
import type { Containerfile } from "../model.ts";
import { sortDiagnostics } from "../parse.ts";
import type { Part, Place, PlacedDiagnostic } from "../place.ts";
import type { InstructionView, ViewedWord } from "./model.ts";
import { viewInstruction } from "./view.ts";

/** Nobody looks at more carets, and a file can have a million findings. */
const maxPlaces = 1000;

/**
 * Findings as they are shown: each underlines the part that it is about, where that is known and begins in the line
 * that the finding is told for, else the whole instruction. In source order. Loads dockerfile-ast: it is imported
 * where a finding is to be shown, and not before.
 */
export function underlineParts(
  findings: readonly PlacedDiagnostic[],
  containerfile: Containerfile,
): readonly Diagnostic[] {
  const locator = createLocator(containerfile.source);
  let left = maxPlaces;
  const underlined = findings.map(({ place, ...finding }): Diagnostic => {
    left -= place === undefined ? 0 : 1;
    if (place === undefined || left < 0) return finding;
    const { instruction } = place;
    const word = findWord(place, containerfile.escape);
    const range = word && toSourceRange(instruction.pieces, word.start, word.end);
    return { ...finding, span: narrowSpan(instruction, range, locator) };
  });
  return sortDiagnostics(underlined);
}

function findWord(
  { instruction, part }: Place,
  escape: Containerfile["escape"],
): ViewedWord | undefined {
  const view = viewInstruction(instruction, escape);
  return view && findPart(view, part);
}

function findPart(view: InstructionView, part: Part): ViewedWord | undefined {
  if (part.kind === "word") return view.words[part.index];
  if (part.kind === "trigger") return findTrigger(view.words, part.keyword);
  if (part.kind === "destination") return view.kind === "copy" ? view.destination : undefined;
  if (view.kind !== "from") return undefined;
  return part.kind === "image" ? view.image : view.name;
}

/** Only triggers of triggers stand before it: a flag among them would make it another word. */
function findTrigger(words: readonly ViewedWord[], keyword: string): ViewedWord | undefined {
  const at = words.findIndex(({ text }) => text.toUpperCase() === keyword);
  const before = words.slice(0, Math.max(at, 0));
  return before.every(({ text }) => text.toUpperCase() === "ONBUILD") ? words[at] : undefined;
}
