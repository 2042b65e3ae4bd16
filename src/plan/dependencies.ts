import {
  decodeText,
  readArguments,
  type Containerfile,
  type Instruction,
  type ResolvedStage,
} from "../containerfile/containerfile.ts";
import type { BuildPlan } from "./model.ts";

/** What of the file's text a result depends on: comments, blank lines and unused stages are left out. */
export function describeTexts(
  containerfile: Containerfile,
  needed: readonly ResolvedStage[],
): Pick<BuildPlan, "texts" | "declaredArguments" | "unpredictable"> {
  const instructions = listInstructions(containerfile, needed);
  return {
    texts: instructions.map(describeInstruction),
    declaredArguments: declaredNames(instructions, containerfile.escape),
    unpredictable: instructions.filter(isUnpredictable),
  };
}

/** Names that ARGs before an instruction declare. */
export function listDeclaredBefore(
  containerfile: Containerfile,
  needed: readonly ResolvedStage[],
  { span: { start } }: Instruction,
): ReadonlySet<string> {
  const before = listInstructions(containerfile, needed).filter(
    (one) => one.span.start.offset < start.offset,
  );
  return declaredNames(before, containerfile.escape);
}

function listInstructions(
  { preamble }: Containerfile,
  needed: readonly ResolvedStage[],
): readonly Instruction[] {
  return [...preamble, ...needed.flatMap((one) => [one.stage.from, ...one.stage.instructions])];
}

function describeInstruction(instruction: Instruction): string {
  const bodies = instruction.heredocs.map((heredoc) => decodeText(heredoc.body));
  return [decodeText(instruction.text), ...bodies].join("\n");
}

/** Names that the ARGs among these instructions declare. */
export function declaredNames(
  instructions: readonly Instruction[],
  escape: string,
): ReadonlySet<string> {
  const declared = instructions.flatMap((one) => readArguments(one, escape));
  return new Set(declared.map(({ name }) => name));
}

const remoteSource = /(?:^|[\s"'[])(?:https?:\/\/|git:\/\/|ssh:\/\/|git@)\S*/g;

/** An ADD from the network whose content no checksum and no full commit fixes. */
function isUnpredictable(instruction: Instruction): boolean {
  if (instruction.keyword !== "ADD") return false;
  if (instruction.flags.some((flag) => flag.name === "checksum")) return false;
  const sources = instruction.args.match(remoteSource) ?? [];
  return sources.some((source) => !/#[0-9a-f]{40}\b/.test(source));
}
