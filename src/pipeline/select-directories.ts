import { join } from "node:path";
import type { ContextRead, ResolvedStage } from "../containerfile/containerfile.ts";
import type { StepsRequest } from "../engine/engine.ts";
import { exitStatuses, XbuildError } from "../errors.ts";
import { findRealPath } from "../system/real-path.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { type BasesFacts, findLowestBase } from "./base-facts.ts";
import type { BuildRequest } from "./request.ts";
import { nameImage } from "./resolve-images.ts";

/** A directory (or file) of this machine that the build reads. */
export interface DirectoryRead {
  /** `context`, `context NAME`, `volume PATH`; with `mounted ` before it what steps see through mounts. */
  readonly role: string;
  readonly path: string;
  /** What alone is read of it, sorted; undefined for all. */
  readonly only: readonly string[] | undefined;
  /** Whether it is the build context as COPY has it: the ignore file counts, and owners do not. */
  readonly isFiltered: boolean;
  /** Whether something is read by a pattern, or by a name that nobody knows. */
  readonly hasPatterns: boolean;
}

/** One who reads, and what. */
export interface InstructionRead {
  readonly read: ContextRead;
  /** The directory's role. */
  readonly role: string;
  readonly path: string;
  readonly only: readonly string[] | undefined;
  /** Whether a pattern says what, or a name that nobody knows. */
  readonly isPattern: boolean;
}

/**
 * The directories whose content the build depends on: the build context, named contexts and read-only volumes.
 * undefined where one cannot be known: a volume that the build may write, a named context that is no directory of this
 * machine, a link that leads out of one. Without facts of the bases their variables are taken for none.
 */
export function selectDirectories(
  plan: BuildPlan,
  request: BuildRequest,
  facts: BasesFacts,
): readonly DirectoryRead[] | undefined {
  const volumes = listVolumes(request.steps);
  const reads = plan.dependencies.stages.flatMap((stage) =>
    listStageReads(stage, { plan, request, facts }),
  );
  assertInside(reads, request);
  const remote = plan.dependencies.contexts.some((name) => isRemote(name, request));
  if (volumes === undefined || remote || reads.some(leadsOut)) return undefined;
  const roles = new Map<string, InstructionRead[]>();
  for (const one of reads) roles.set(one.role, [...(roles.get(one.role) ?? []), one]);
  return [
    ...[...roles.values()].flatMap(joinReads),
    ...listBases(plan, request),
    ...volumes.map((path) => readWhole(`volume ${path}`, path)),
  ];
}

export interface ReadContext {
  readonly plan: BuildPlan;
  readonly request: BuildRequest;
  readonly facts: BasesFacts;
}

/** What a stage's instructions read of directories of this machine. */
export function listStageReads(
  stage: ResolvedStage,
  { plan, request, facts }: ReadContext,
): readonly InstructionRead[] {
  const lowest = findLowestBase(plan, stage.base, request);
  const given = lowest === undefined ? undefined : facts.get(lowest)?.variables;
  return stage.reads.flatMap((read): readonly InstructionRead[] => {
    const { context, isMount, paths, unless } = read;
    if (context !== undefined && nameImage({ kind: "context", name: context }, request)) return [];
    const path =
      context === undefined ? request.steps.context : request.steps.buildContexts.get(context);
    const role = context === undefined ? "context" : `context ${context}`;
    const isKnown = !unless.some((name) => given?.has(name));
    const isPattern = !isKnown || paths === undefined;
    const only = isPattern || paths.includes("") ? undefined : paths;
    return [{ read, role: isMount ? `mounted ${role}` : role, path: path ?? "", only, isPattern }];
  });
}

/** Whether a mount's source is a link, or behind one, to what is not in the directory: engines do not agree on it. */
function leadsOut({ read, path, only }: InstructionRead): boolean {
  if (!read.isMount || only === undefined) return false;
  const root = findRealPath(path);
  return only.some((one) => {
    const real = findRealPath(join(path, one));
    return real !== undefined && root !== undefined && !`${real}/`.startsWith(`${root}/`);
  });
}

/**
 * A context that was fetched may have links to anywhere, and engines follow them where a mount names one: what is not in it
 * is nobody's to see. Errors: `context-not-found`
 */
function assertInside(reads: readonly InstructionRead[], { steps }: BuildRequest): void {
  const fetched = reads.filter(({ path, read }) => read.isMount && steps.passing?.has(path));
  const wrong = fetched.find((one) => one.isPattern || leadsOut(one));
  if (wrong === undefined) return;
  const { isPattern, only } = wrong;
  const message = isPattern
    ? "a RUN mounts a part of a fetched context, and which one only the base image says"
    : `a RUN mounts ${(only ?? []).join(", ")} of a fetched context, which leads out of it`;
  throw new XbuildError("context-not-found", message, {
    hint: "mount a directory or a file of the context by its own path",
    exitStatus: exitStatuses.usage,
  });
}

function joinReads(reads: readonly InstructionRead[]): readonly DirectoryRead[] {
  const [first] = reads;
  if (first === undefined) return [];
  const only = reads.flatMap((one) => one.only ?? []);
  const isAll = reads.some((one) => one.only === undefined);
  const { role, path, read } = first;
  const isFiltered = !read.isMount && read.context === undefined;
  const hasPatterns = reads.some((one) => one.isPattern);
  const sorted = isAll ? undefined : [...new Set(only)].sort();
  return [{ role, path, only: sorted, isFiltered, hasPatterns }];
}

function readWhole(role: string, path: string): DirectoryRead {
  return { role, path, only: undefined, isFiltered: false, hasPatterns: false };
}

/** Named contexts that stages stand on, as a whole. */
function listBases(plan: BuildPlan, request: BuildRequest): readonly DirectoryRead[] {
  return plan.dependencies.stages.flatMap(({ base }) => {
    if (base.kind !== "context" || nameImage(base, request) !== undefined) return [];
    const path = request.steps.buildContexts.get(base.name) ?? "";
    return [readWhole(`base ${base.name}`, path)];
  });
}

/** Whether a named context is neither an image nor a directory of this machine. */
function isRemote(context: string, request: BuildRequest): boolean {
  const value = request.steps.buildContexts.get(context) ?? "";
  return (
    nameImage({ kind: "context", name: context }, request) === undefined && value.includes("://")
  );
}

/** Whether it gives a volume, in whatever form: short flags without a value may stand before it. */
export function isVolumeFlag(flag: string): boolean {
  return /^(?:-[qDh]*v|--volume)/.test(flag);
}

/** Host paths of `--volume HOST:CONTAINER[:OPTIONS]`, or undefined where the build may write one, or one is the engine's. */
function listVolumes({ flags }: StepsRequest): readonly string[] | undefined {
  const values = flags.step.flatMap((flag) =>
    flag.startsWith("--volume=") ? [flag.slice("--volume=".length)] : [],
  );
  // After `--` a volume may be given in other forms; what it is, is then not looked into.
  if (flags.step.filter(isVolumeFlag).length > values.length) return undefined;
  const parsed = values.map((value) => value.split(":"));
  const isUnknown = parsed.some(
    ([host = "", , options = ""]) =>
      !host.startsWith("/") || !options.split(",").some((one) => one === "ro" || one === "O"),
  );
  return isUnknown ? undefined : parsed.map(([host = ""]) => host);
}
