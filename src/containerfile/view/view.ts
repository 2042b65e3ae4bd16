import {
  Arg,
  Copy,
  DockerfileParser,
  From,
  type Instruction as Node,
  JSONInstruction,
  PropertyInstruction,
} from "dockerfile-ast";
import type { Containerfile, Instruction } from "../model.ts";
import { decodeText } from "../text.ts";
import { listWords } from "../words.ts";
import type { InstructionView, ViewedWord } from "./model.ts";

/** The library takes time in the square of an instruction's length; no longer one is looked at. In bytes. */
const maxLength = 4096;

/**
 * Where an instruction's arguments stand, as dockerfile-ast finds them; undefined where its words are not those of
 * the grammar, which alone decides what an instruction means. The library is given the joined text, so that it knows
 * nothing of continuations, comments within them and heredocs, and makes no mistakes about these. Never throws.
 */
export function viewInstruction(
  instruction: Instruction,
  escape: Containerfile["escape"],
): InstructionView | undefined {
  if (instruction.text.length > maxLength) return undefined;
  const view = readNode(instruction, escape);
  const expected = listWords(instruction, escape);
  const isSame =
    view?.words.length === expected.length &&
    view.words.every(({ text }, index) => isWord(text, expected[index], instruction));
  return isSame ? view : undefined;
}

/** A string of the JSON form stands there with its quotes. */
function isWord(text: string, expected: string | undefined, { json }: Instruction): boolean {
  if (json === undefined) return text === expected;
  try {
    return JSON.parse(text) === expected;
  } catch {
    return false;
  }
}

function readNode(
  instruction: Instruction,
  escape: Containerfile["escape"],
): InstructionView | undefined {
  const head = `# escape=${escape}\n`;
  try {
    const [node, ...others] = DockerfileParser.parse(head + instruction.text).getInstructions();
    if (node === undefined || others.length > 0) return undefined;
    return toView(node, (range) => toWord(range, instruction));
  } catch {
    // What it cannot read has no places, and that is all.
    return undefined;
  }
}

type Range = ReturnType<Node["getRange"]>;
type ToWord = (range: Range) => ViewedWord;

function toView(node: Node, word: ToWord): InstructionView {
  const words = listRanges(node).map((range) => word(range));
  if (node instanceof PropertyInstruction) return { kind: "pairs", words };
  if (node instanceof From) {
    const [image, name] = [node.getImageRange(), node.getBuildStageRange()];
    return {
      kind: "from",
      image: image ? word(image) : undefined,
      name: name ? word(name) : undefined,
      words,
    };
  }
  if (!isCopy(node)) return { kind: "words", words };
  return { kind: "copy", sources: words.slice(0, -1), destination: words.at(-1), words };
}

/** ADD has no class that is a COPY's. */
function isCopy(node: Node): boolean {
  return node instanceof Copy || node.getKeyword() === "ADD";
}

function listRanges(node: Node): readonly Range[] {
  // As properties, ARG A B would be one: ENV's old form, which ARG does not have.
  if (node instanceof Arg) return node.getPropertyArguments().map((one) => one.getRange());
  if (node instanceof PropertyInstruction) return node.getProperties().map((one) => one.getRange());
  const strings = node instanceof JSONInstruction ? node.getJSONStrings() : [];
  return (strings.length > 0 ? strings : node.getArguments()).map((one) => one.getRange());
}

/** The text stands in the second line of what was read, and has no line end but a carriage return. */
function toWord({ start, end }: Range, { text }: Instruction): ViewedWord {
  if (start.line !== 1 || end.line !== 1) throw new RangeError("the word is in no line of ours");
  const [from, to] = [start.character, end.character];
  return { text: decodeText(text.slice(from, to)), start: from, end: to };
}
