import { randomUUID } from "node:crypto";
import type { Instruction, Reference, ResolvedStage } from "../containerfile/containerfile.ts";
import type { UnseenInputs } from "../engine/engine.ts";
import { digestBytes } from "../oci/oci.ts";
import { describeInstruction, isUnpredictable } from "../plan/plan.ts";
import type { BasesFacts } from "./base-facts.ts";
import type { BuildInputs } from "./resolve-inputs.ts";
import { nameImage } from "./resolve-images.ts";
import { type InstructionRead, listStageReads, type ReadContext } from "./select-directories.ts";

/** What is known of a build's inputs, and of whom. */
export interface KnownInputs extends ReadContext {
  readonly inputs: Pick<BuildInputs, "images" | "directories" | "arguments"> & {
    /** Whether all directories are known; else nobody can tell what a step reads of one. */
    readonly isKnown: boolean;
  };
  readonly facts: BasesFacts;
}

/**
 * What instructions read that an engine's cache may not look at, as digests: mounts of contexts, stages and images,
 * flags of the call, values of ARGs in metadata instructions, heredocs, and a base's config where its history does not
 * tell it. What nobody can know is another digest in each build. docs/reference.md, "The engine's cache".
 */
export function findUnseenInputs(known: KnownInputs): UnseenInputs {
  const search = createSearch(known);
  const digests = new Map<Instruction, string>();
  for (const stage of known.plan.needed) {
    for (const [instruction, parts] of listUnseen(search, stage)) {
      digests.set(instruction, hashParts(parts));
    }
  }
  const { stages, fired } = known.plan.dependencies;
  const byTriggers = stages.some((stage) =>
    [...listUnseen(search, stage).keys()].some((instruction) => fired.has(instruction)),
  );
  return { digests, byTriggers };
}

interface Search extends KnownInputs {
  /** Digests of all that stages depend on, by their indexes. */
  readonly stages: Map<number, string>;
  /** Stands for what nobody knows. */
  readonly unknown: string;
}

function createSearch(known: KnownInputs): Search {
  return { ...known, stages: new Map(), unknown: randomUUID() };
}

type Parts = readonly unknown[];

function listUnseen(search: Search, stage: ResolvedStage): ReadonlyMap<Instruction, Parts> {
  const reads = listStageReads(stage, search);
  const unseen = new Map<Instruction, Parts>();
  for (const [at, instruction] of stage.stage.instructions.entries()) {
    // What comes behind is not cached.
    if (instruction === stage.stage.output) break;
    const isFired = search.plan.dependencies.fired.has(instruction);
    const parts = [
      ...(at === 0 ? describeBase(search, stage) : []),
      // Some say what holds for every instruction (--env).
      ...(at === 0 && !isFired ? describeFlags(search) : []),
      ...(isFired && instruction.keyword === "RUN" ? describeFlags(search) : []),
      ...(instruction.keyword === "RUN" ? describeRun(search, { instruction, stage, reads }) : []),
      ...stage.argumentUses
        .filter((use) => use.instruction === instruction)
        .flatMap((use) => use.arguments)
        .map((one) => [one.name, search.inputs.arguments.get(one.name) ?? one.value ?? one.word]),
    ];
    if (parts.length > 0) unseen.set(instruction, parts);
  }
  return unseen;
}

/** The ID of an image whose history does not tell its config: another config may look the same. */
function describeBase({ facts, inputs, request }: Search, { base }: ResolvedStage): Parts {
  const name = nameImage(base, request);
  if (name === undefined || facts.get(name)?.isTold !== false) return [];
  return ["base", inputs.images.get(name)];
}

interface RunPlace {
  readonly instruction: Instruction;
  readonly stage: ResolvedStage;
  readonly reads: readonly InstructionRead[];
}

function describeRun(search: Search, { instruction, stage, reads }: RunPlace): Parts {
  const mounts = reads.filter(({ read }) => read.instruction === instruction);
  const uses = stage.uses.filter((use) => use.instruction === instruction);
  return [
    ...describeVolumes(search),
    ...mounts.map((one) => ["mount", describeRead(search, one)]),
    ...uses.map(({ reference }) => ["from", describeReference(search, reference)]),
    ...instruction.heredocs.map(({ body }) => ["heredoc", body]),
  ];
}

function describeFlags({ request }: Search): Parts {
  const { step } = request.steps.flags;
  return step.length === 0 ? [] : [["flags", ...step]];
}

/** The content of volumes. */
function describeVolumes({ request, inputs, unknown }: Search): Parts {
  const hasVolumes = request.steps.flags.step.some((flag) => /^(?:-v|--volume)/.test(flag));
  if (!hasVolumes) return [];
  const volumes = [...inputs.directories].filter(([role]) => role.startsWith("volume "));
  return inputs.isKnown ? volumes.map(([role, { digest }]) => [role, digest]) : [unknown];
}

function describeRead({ inputs, unknown }: Search, { role, only }: InstructionRead): Parts {
  const hash = inputs.directories.get(role);
  if (hash === undefined) return [unknown];
  if (only === undefined) return [role, hash.digest];
  const isRead = (path: string): boolean =>
    only.some((one) => path === one || path.startsWith(`${one}/`));
  const files = [...hash.files];
  const read = files.filter(([path]) => isRead(path));
  // Of a path that a link is on the way to, something else is read.
  return [role, only, read.length > 0 ? read : hash.digest];
}

function describeReference(search: Search, reference: Reference): unknown {
  if (reference.kind === "stage") return digestStage(search, reference.index);
  const name = nameImage(reference, search.request);
  // What is read of a directory stands among the reads.
  return name === undefined ? reference : search.inputs.images.get(name);
}

/** A digest of all that a stage depends on. */
function digestStage(search: Search, index: number): string {
  const known = search.stages.get(index);
  if (known !== undefined) return known;
  // A circle ends here.
  search.stages.set(index, "");
  const { plan, request, inputs, unknown } = search;
  const stage = plan.dependencies.stages.find((one) => one.stage.index === index);
  if (stage === undefined) return unknown;
  const { from, instructions } = stage.stage;
  const base = `base ${stage.base.kind === "context" ? stage.base.name : ""}`;
  const digest = hashParts([
    [...plan.containerfile.preamble, from, ...instructions].map(describeInstruction),
    describeReference(search, stage.base),
    inputs.directories.get(base)?.digest,
    stage.uses.map((use) => describeReference(search, use.reference)),
    listStageReads(stage, search).map((one) => describeRead(search, one)),
    [describeFlags(search), describeVolumes(search)],
    [...inputs.arguments],
    request.steps.platform,
    instructions.some(isUnpredictable) || !inputs.isKnown ? unknown : "",
  ]);
  search.stages.set(index, digest);
  return digest;
}

function hashParts(parts: Parts): string {
  const text = JSON.stringify(parts, (_, value: unknown) => value ?? null);
  return digestBytes(new TextEncoder().encode(text)).slice("sha256:".length, "sha256:".length + 32);
}
