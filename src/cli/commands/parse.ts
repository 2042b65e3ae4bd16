import { splitInstruction } from "../../../grammar/grammar.ts";
import {
  type Containerfile,
  type Instruction,
  parseContainerfile,
} from "../../containerfile/containerfile.ts";
import { showDiagnostic } from "../../diagnostics.ts";
import { type FlagSpec, parseCommandLine, usageError, helpFlag } from "../line/arguments.ts";
import type { CliIo } from "../io.ts";
import { createPages } from "../pages.ts";
import { joinVisible, show, showJson } from "../../visible.ts";
import { locateSources } from "../request/locate.ts";

const flags: readonly FlagSpec[] = [{ name: "json", kind: "boolean" }, helpFlag];

const help = show`Usage: xbuild parse --json FILE

Prints how BuildKit's parser splits a Containerfile, for editors and other tools (- reads standard
input).

Exit status: 0, or 1 where that parser errs; what is wrong is then on stderr.
`;

/**
 * `xbuild parse --json FILE`. @returns 0, or 1 for what BuildKit's parser refuses.
 * @throws XbuildError `usage`, `file-not-found`
 */
export async function runParse(argv: readonly string[], io: CliIo): Promise<number> {
  const line = parseCommandLine(argv, flags);
  if (line.flags.some(({ spec, value }) => spec.name === "help" && value === "true")) {
    io.stdout(help);
    return 0;
  }
  const [file, ...others] = [...line.operands, ...line.rest];
  if (file === undefined || others.length > 0) throw usageError("parse takes one file");
  const { bytes } = await locateSources({ file }, io);
  const containerfile = parseContainerfile(bytes, file);
  const errors = containerfile.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) {
    const { source } = containerfile;
    const options = { source, color: io.color, page: createPages(io) };
    io.stderr(joinVisible(errors.map((one) => show`${showDiagnostic(one, options)}\n`)));
    return 1;
  }
  io.stdout(showJson(toJson(containerfile)));
  return 0;
}

function toJson({ escape, instructions }: Containerfile) {
  return {
    escape,
    instructions: instructions.map((instruction) => ({
      keyword: instruction.keyword,
      startLine: instruction.span.start.line,
      endLine: instruction.endLine,
      flags: listFlags(instruction, escape),
      heredocs: instruction.heredocs.map(({ name }) => name),
      json: instruction.json !== undefined,
    })),
  };
}

/** BuildKit reads flags byte by byte, so that a letter that is no ASCII comes out as one for each byte. */
function listFlags({ text }: Instruction, escape: string): string[] {
  return splitInstruction(text, escape).flags.map((flag) => flag.text);
}
