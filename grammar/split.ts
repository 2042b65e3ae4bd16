import { type LineState, readLine } from "./lines.ts";

/** An instruction's joined text, as {@link InstructionSyntax} has it, and nothing else. */
export interface SplitFile {
  readonly escape: "\\" | "`";
  readonly texts: readonly string[];
}

/**
 * The instructions of a file, found line by line without the parser and its library: for a look at a file before
 * that is loaded. They are the parser's own, and what is wrong with them is not said. Never throws.
 */
export function splitInstructions(source: string): SplitFile {
  const texts: string[] = [];
  let line: LineState | undefined;
  for (let at = 0; at < source.length; at = line.end) {
    line = readLine(source, at, line);
    if (line.kind === "Final") texts.push(line.text ?? "");
  }
  // A continued line may be the file's last.
  if (isOpen(line)) texts.push(line.text);
  return { escape: line?.directives.escape ?? "\\", texts };
}

function isOpen(line: LineState | undefined): line is LineState & { readonly text: string } {
  return line?.text !== undefined && line.kind !== "Final";
}
