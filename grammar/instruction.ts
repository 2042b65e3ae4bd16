import { type CommandSyntax, readKeyword, splitCommand, upperCaseKeyword } from "./command.ts";
import { type PathSyntax, readOutputSyntax } from "./output.ts";

/** An instruction taken apart, each by its own grammar. */
export interface InstructionParts extends CommandSyntax {
  /** Decoded, in upper case. */
  readonly keyword: string;
  /** OUTPUT's alone. */
  readonly path: PathSyntax | undefined;
}

/** Takes a joined line apart: OUTPUT by its grammar, any other as BuildKit does. Never throws. */
export function splitInstruction(line: string, escape: string): InstructionParts {
  const keyword = upperCaseKeyword(readKeyword(line).keyword);
  if (keyword === "OUTPUT") return { ...readOutputSyntax(line, escape), keyword };
  return { ...splitCommand(line, escape), keyword, path: undefined };
}
