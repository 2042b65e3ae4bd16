import {
  decodeText,
  encodeText,
  readArguments,
  type Containerfile,
  type Instruction,
  type Reference,
  type ResolvedStage,
  type SourceText,
} from "../containerfile/containerfile.ts";
import type { BuiltReference, Dependencies, ImageReference } from "./model.ts";
import { imageKey } from "./image-key.ts";

/** What a result depends on of a file and its stages: comments, blank lines and unused stages are left out. */
export function listDependencies(
  containerfile: Containerfile,
  stages: readonly ResolvedStage[],
): Dependencies {
  const instructions = listInstructions(containerfile, stages);
  const reads = stages.flatMap((stage) => stage.reads);
  const remote = new Map(reads.map((one) => [one.instruction, one.remote]));
  return {
    stages,
    fired: new Set(),
    images: listImages(stages),
    built: listBuilt(stages),
    contexts: listContexts(stages),
    texts: instructions.map(describeInstruction),
    links: listLinks(stages),
    declaredArguments: new Set([
      ...declaredNames(instructions, containerfile.escape),
      // Predefined ones that an instruction names.
      ...stages.flatMap(({ argumentUses }) =>
        argumentUses.flatMap((use) => use.arguments.map(({ name }) => name)),
      ),
    ]),
    unpredictable: instructions.filter((one) => isUnpredictable(one, remote.get(one))),
  };
}

/** Where one use says for which platform, that holds for the others of the same key. */
function listImages(stages: readonly ResolvedStage[]): readonly ImageReference[] {
  const images = stages
    .flatMap(listReferences)
    .flatMap((one): readonly ImageReference[] => (one.kind === "image" ? [one] : []));
  const placed = images.filter(({ platform }) => platform !== undefined);
  const unique = new Map([...images, ...placed].map((one) => [imageKey(one), one]));
  return [...unique].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

function listContexts(stages: readonly ResolvedStage[]): readonly string[] {
  const names = stages
    .flatMap(listReferences)
    .flatMap((one) => (one.kind === "context" ? [one.name] : []));
  return [...new Set(names)].sort();
}

function listBuilt(stages: readonly ResolvedStage[]): readonly BuiltReference[] {
  const built = stages
    .flatMap(listReferences)
    .flatMap((one): readonly BuiltReference[] => (one.kind === "built" ? [one] : []));
  const unique = new Map(built.map((one) => [one.index, one]));
  return [...unique.values()].sort((a, b) => a.index - b.index);
}

function listLinks(stages: readonly ResolvedStage[]): readonly string[] {
  const places = new Map(stages.map(({ stage }, place) => [stage.index, place]));
  const built = new Map(listBuilt(stages).map(({ index }, place) => [index, place]));
  return stages.flatMap((stage, place) =>
    listReferences(stage).flatMap((one, at): readonly string[] => {
      if (one.kind !== "stage" && one.kind !== "built") return [];
      const meant = (one.kind === "stage" ? places : built).get(one.index);
      return [`${place}.${at} ${one.kind} ${meant}`];
    }),
  );
}

/** All that a stage names: its base first. */
export function listReferences({ base, uses, output }: ResolvedStage): readonly Reference[] {
  return [base, ...uses.map(({ reference }) => reference), ...(output?.from ?? [])];
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

/** Another text for each instruction that is another one. */
function describeInstruction(instruction: Instruction): string {
  const bodies = instruction.heredocs.map((heredoc) => describeText(heredoc.body));
  const text = describeText(instruction.text);
  // One instruction is one line, so with one body it is clear where that begins.
  return bodies.length < 2 ? [text, ...bodies].join("\n") : JSON.stringify([text, ...bodies]);
}

/** Where bytes are no UTF-8 people read the same sign for all of them. */
function describeText(source: SourceText): string {
  const text = decodeText(source);
  return encodeText(text) === source ? text : JSON.stringify(["bytes", source]);
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
function isUnpredictable(instruction: Instruction, expanded: readonly string[] = []): boolean {
  if (instruction.keyword !== "ADD") return false;
  if (instruction.flags.some((flag) => flag.name === "checksum")) return false;
  const sources = [...(instruction.args.match(remoteSource) ?? []), ...expanded];
  return sources.some((source) => !/#[0-9a-f]{40}\b/.test(source));
}
