import { createHash } from "node:crypto";
import type { Instruction, Reference, ResolvedStage } from "../containerfile/containerfile.ts";
import type { ContextHash } from "../context/context.ts";
import type { UnseenInputs } from "../engine/engine.ts";
import { digestBytes } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { findLowestBase } from "./base-facts.ts";
import { nameImage } from "./resolve-images.ts";
import {
  type InstructionRead,
  isVolumeFlag,
  listStageReads,
  type ReadContext,
} from "./select-directories.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/**
 * What instructions read that an engine's cache may not look at, as digests: mounts of contexts and images, flags of the
 * call, values of ARGs in metadata instructions, heredocs of triggers, and a base's config. What nobody can know is another digest
 * in each build. docs/reference.md, "The engine's cache".
 */
export function findUnseenInputs(build: Build, { shared }: BuildWorkspace): UnseenInputs {
  const { nonce } = shared;
  const isRenewed = build.request.steps.noCache && isComposed(build.plan);
  const search = { ...build, facts: build.inputs.facts, unknown: nonce, isRenewed };
  // The store's own digests of secret values keep those that are made of them from being guessed.
  const { redacted } = build.request.reuse;
  const salt = [...build.inputs.arguments].filter(([name]) => redacted.has(name));
  const digests = new Map<Instruction, string>();
  for (const stage of build.plan.needed) {
    for (const [instruction, parts] of listUnseen(search, stage)) {
      digests.set(instruction, hashParts([parts, salt]));
    }
  }
  const { stages, fired } = build.plan.dependencies;
  const hasFired = (stage: ResolvedStage): boolean =>
    [...listUnseen(search, stage).keys()].some((instruction) => fired.has(instruction));
  return { digests, byTriggers: fired.size > 0 && stages.some(hasFired), isRenewed };
}

/** Whether other images are made of stages of the file, too. */
function isComposed({ graph, dependencies, target }: BuildPlan): boolean {
  return dependencies.built.length > 0 || graph.target !== target.index;
}

interface Search extends Build, ReadContext {
  /** Stands for what nobody knows, the same in all builds of a command. */
  readonly unknown: string;
  /** Whether all steps are to be new ones: those that several images share once (--no-cache). */
  readonly isRenewed: boolean;
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
      ...(at === 0 && search.isRenewed ? ["no cache", search.unknown] : []),
      ...(at === 0 && !isFired ? describeBase(search, stage) : []),
      // Some say what holds for every instruction (--env), and files get the time of --timestamp.
      ...(at === 0 || isFired ? describeFlags(search) : []),
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

/** The image at the bottom, where one with equal layers and history may have another config. */
function describeBase(search: Search, { base }: ResolvedStage): Parts {
  const { plan, request, facts, inputs } = search;
  const name = findLowestBase(plan, base, request);
  if (name === undefined || facts.get(name)?.isTold === true) return [];
  return ["base", inputs.images.get(name)];
}

interface RunPlace {
  readonly instruction: Instruction;
  readonly stage: ResolvedStage;
  readonly reads: readonly InstructionRead[];
}

function describeRun(search: Search, { instruction, stage, reads }: RunPlace): Parts {
  const mounts = reads.filter(({ read }) => read.instruction === instruction);
  // Stages are named by their images' IDs.
  const uses = stage.uses.filter(
    (use) => use.instruction === instruction && use.reference.kind !== "stage",
  );
  return [
    ...describeVolumes(search),
    ...mounts.map((one) => ["mount", describeRead(search, one)]),
    ...uses.map(({ reference }) => ["from", describeReference(search, reference)]),
    // The file's own are said without heredocs, their text where the cache sees it.
    ...(search.plan.dependencies.fired.has(instruction) ? instruction.heredocs : []).map(
      ({ body }) => ["heredoc", body],
    ),
  ];
}

function describeFlags({ request: { steps } }: Search): Parts {
  const { flags, timestamp, epoch } = steps;
  return [
    ...(flags.step.length === 0 ? [] : [["flags", ...flags.step]]),
    ...(timestamp ? [["timestamp", epoch]] : []),
  ];
}

/** The content of volumes. */
function describeVolumes({ request, inputs, unknown }: Search): Parts {
  if (!request.steps.flags.step.some(isVolumeFlag)) return [];
  const volumes = [...inputs.directories].filter(([role]) => role.startsWith("volume "));
  return inputs.reads === undefined
    ? [unknown]
    : volumes.map(([role, { digest }]) => [role, digest]);
}

function describeRead({ inputs, unknown }: Search, { role, only }: InstructionRead): Parts {
  const hash = inputs.directories.get(role);
  if (hash === undefined) return [unknown];
  if (only === undefined) return [role, hash.digest];
  return [role, only, digestPart(only, hash) ?? hash.digest];
}

/** Of what alone is read; undefined where a link stands in the way, which leads to something else. */
function digestPart(only: readonly string[], { files }: ContextHash): string | undefined {
  const hash = createHash("sha256");
  for (const [path, description] of files) {
    const isOnWay = only.some((one) => one === path || one.startsWith(`${path}/`));
    if (isOnWay && description.startsWith("link ")) return undefined;
    if (only.some((one) => path === one || path.startsWith(`${one}/`)))
      hash.update(JSON.stringify([path, description]));
  }
  return hash.digest("hex");
}

function describeReference({ request, inputs }: Search, reference: Reference): unknown {
  const name = nameImage(reference, request);
  // What is read of a directory stands among the reads.
  return name === undefined ? reference : inputs.images.get(name);
}

function hashParts(parts: Parts): string {
  const text = JSON.stringify(parts, (_, value: unknown) => value ?? null);
  return digestBytes(new TextEncoder().encode(text)).slice("sha256:".length, "sha256:".length + 32);
}
