import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Instruction, ResolvedStage } from "../../containerfile/containerfile.ts";
import { type Digest, digestBytes } from "../../oci/oci.ts";
import { type BuildPlan, imageKey, type LayeredStage, type StagePlan } from "../../plan/plan.ts";
import { settleAll } from "../../system/settle.ts";
import {
  blobsKey,
  type EngineBuild,
  type EngineSession,
  type ImagePlace,
  type LayeringRun,
  type SessionWorkspace,
  type StageRun,
} from "../model.ts";
import { type Builders, onBuilder, type Seat } from "./builders.ts";
import type { BuildKitClient } from "./client.ts";
import { hideStep } from "./hide-values.ts";
import { isFloorFailure } from "./floor.ts";
import {
  blobsContext,
  findExtraLine,
  hasShell,
  layersContext,
  lowerEnvironment,
  lowerLayering,
  lowerMetadata,
  lowerPlain,
  mountedNames,
  renderMounts,
} from "./lower.ts";
import { keepMetadata, makeTwin, withoutOwn } from "./metadata.ts";
import { readLayout } from "./read-layout.ts";
import { solve, type SolveTelling } from "./solve.ts";
import type { NamedSource, SolveCall } from "./solve-call.ts";
import { assertOwnNames, listSources, nameImageSource, nameStageSource } from "./sources.ts";
import { noteKeys } from "../notes.ts";
import { writeRunMark, writeSkeleton } from "./skeleton.ts";

/** Images of a command that no builder holds: configs that were evaluated, and stages that came back. */
export interface MadeImages {
  readonly configs: Map<Digest, Uint8Array>;
  /** As skopeo reads them. */
  readonly layouts: Map<Digest, string>;
}

/** What the sessions of one engine have in common. */
export interface SessionEngine {
  readonly name: string;
  readonly options: readonly string[];
  readonly builders: () => Promise<Builders>;
  readonly made: MadeImages;
}

interface Session extends SessionWorkspace {
  readonly engine: SessionEngine;
  readonly build: EngineBuild;
  readonly builders: Builders;
  readonly seat: Seat;
  readonly sources: ReadonlyMap<string, NamedSource>;
  readonly told: Set<string>;
  /** Configs by the stages that they are of, as far as they were evaluated. */
  readonly environments: Map<number, Digest>;
}

/**
 * Uses a builder for one build. Each call is whole in itself: the text, the context and the images that it names; what a
 * builder keeps of it is its cache's. So any call can begin again on another builder.
 */
export async function openSession(
  engine: SessionEngine,
  build: EngineBuild,
  work: SessionWorkspace,
): Promise<EngineSession> {
  assertOwnNames(build);
  await work.run.note(noteKeys.engine, JSON.stringify([engine.name, ...engine.options]));
  const session: Session = {
    ...work,
    engine,
    build,
    builders: await engine.builders(),
    seat: { current: undefined },
    sources: listSources(build),
    told: new Set(),
    environments: new Map(),
  };
  return {
    evaluateStage: (stage, run = {}) => evaluateStage(session, stage, run),
    runLayering: (stage, run) => runLayering(session, stage, run),
    restoreNames: (text) => text,
    abandon: () => Promise.resolve(),
    end: () => {
      session.seat.current?.release();
      session.seat.current = undefined;
      return Promise.resolve();
    },
  };
}

async function evaluateStage(
  session: Session,
  stage: StagePlan,
  { known, progress }: StageRun,
): Promise<Digest> {
  const { plan, bare, steps } = session.build;
  // Stages that others read are built where those are.
  if (stage !== plan.target) return known ?? digestBytes(Buffer.from(lowerPlain(plan, stage)));
  if (bare !== undefined) return bare;
  if (stage.kind === "plain") return exportStage(session, stage, progress);
  const isExported = listCaches(steps, "to").length > 0;
  if (known !== undefined && !isExported) return known;
  const evaluate = (): Promise<Digest> => evaluateMetadata(session, stage, "environment");
  // Without the cache the layering steps build it, too: of two results another call might take either.
  const isNeeded = !steps.noCache && plan.needed.some((one) => needsFiles(before(one, stage)));
  if (!isExported && !isNeeded) return evaluate();
  const text = lowerEnvironment(plan, stage);
  const call = { ...describeCall(session, "environment"), text, output: { kind: "none" } } as const;
  const [, id] = await settleAll([
    solveStep(session, { ...call, flags: withCaches(session, call.flags) }, { progress }),
    known === undefined ? evaluate() : Promise.resolve(known),
  ]);
  return id;
}

/** Instructions of a stage that the environment is made of. */
function before({ stage }: ResolvedStage, { index, output }: LayeredStage): readonly Instruction[] {
  const at = stage.index === index ? stage.instructions.indexOf(output.instruction) : -1;
  return at < 0 ? stage.instructions : stage.instructions.slice(0, at);
}

function needsFiles(instructions: readonly Instruction[]): boolean {
  return instructions.some(({ keyword }) => ["RUN", "COPY", "ADD"].includes(keyword));
}

/** `--cache-from=...` and `--cache-to=...`. */
function listCaches({ flags }: EngineBuild["steps"], which: "from" | "to"): readonly string[] {
  return flags.cache.filter((flag) => flag.startsWith(`--cache-${which}=`));
}

function withCaches({ build }: Session, flags: readonly string[]): readonly string[] {
  return [...flags, ...listCaches(build.steps, "to")];
}

/** A stage that is the image: all of it comes back. */
async function exportStage(
  session: Session,
  stage: StagePlan,
  progress: StageRun["progress"],
): Promise<Digest> {
  const { plan } = session.build;
  const { made } = session.engine;
  const directory = await mkdtemp(join(session.run.directory, "stage-"));
  const call = describeCall(session, stage.name);
  await solveStep(
    session,
    {
      ...call,
      flags: withCaches(session, call.flags),
      text: lowerPlain(plan, stage),
      output: { kind: "layout", directory },
    },
    { progress },
  );
  const { config } = await readLayout(directory, call.platform);
  const id = digestBytes(config);
  made.configs.set(id, await withoutOwn(config, { plan, stage, bases: listBases(session) }));
  made.layouts.set(id, `oci:${directory}`);
  return id;
}

/** What the metadata instructions come to: they are evaluated on images that have no layers. */
async function evaluateMetadata(
  session: Session,
  stage: StagePlan,
  part: "environment" | "whole",
): Promise<Digest> {
  const { plan } = session.build;
  const twins = await mkdtemp(join(session.run.directory, "metadata-"));
  const layouts = new Map<NamedSource, NamedSource>();
  for (const place of listBases(session)) layouts.set(place.source, await makeTwin(place, twins));
  const sources = new Map(
    [...session.sources].map(([name, source]) => [name, layouts.get(source) ?? source] as const),
  );
  const directory = await mkdtemp(join(twins, "made-"));
  const call: SolveCall = {
    ...describeCall(session, `metadata of ${stage.name}`),
    sources,
    noCache: false,
    text: lowerMetadata(plan, stage, part),
    output: { kind: "layout", directory },
  };
  await solveStep(session, call, { show: () => undefined });
  const { config } = await readLayout(directory, call.platform);
  const own = await withoutOwn(config, { plan, stage, bases: listBases(session) });
  const bytes = keepMetadata(own);
  const id = digestBytes(bytes);
  session.engine.made.configs.set(id, bytes);
  return id;
}

/** The images that stages stand on. */
function listBases({ build: { plan, places } }: Session): readonly ImagePlace[] {
  const keys = plan.needed.map(({ base }) => imageKey(base) ?? "");
  const used = new Set([...keys, ...plan.dependencies.images.map((one) => imageKey(one))]);
  return [...places].flatMap(([key, place]) => (used.has(key) ? [place] : []));
}

async function runLayering(
  session: Session,
  stage: LayeredStage,
  run: LayeringRun,
): Promise<Digest> {
  const { layering } = stage;
  const isSame = layering.metadata.every(({ keyword }) => keyword === "ARG");
  const [, id] = await settleAll([
    runSteps(session, stage, run),
    isSame ? keepEnvironment(session, run) : evaluateMetadata(session, stage, "whole"),
  ]);
  return id;
}

function keepEnvironment({ engine }: Session, { environment }: LayeringRun): Promise<Digest> {
  const bytes = Buffer.from(JSON.stringify(environment));
  const id = digestBytes(bytes);
  engine.made.configs.set(id, bytes);
  return Promise.resolve(id);
}

async function runSteps(session: Session, stage: LayeredStage, run: LayeringRun): Promise<void> {
  if (!needsFiles(stage.layering.instructions)) return;
  const { steps, plan, sent } = session.build;
  await writeSkeleton(run.root);
  const mark = await writeRunMark(run.root);
  const mounted = mountedNames;
  const mounts = ` ${renderMounts(mounted, stage)}`;
  const blobs = sent.get(blobsKey) ?? { name: mark };
  const declaresEpoch = steps.epoch !== undefined && !isDeclared(stage, run);
  const call = (isFloored: boolean): SolveCall => ({
    ...describeCall(session, "layering steps"),
    text: lowerLayering(plan, stage, { mounted, mark, isFloored, declaresEpoch }),
    sources: new Map([
      ...session.sources,
      [layersContext, { kind: "directory", path: join(run.root, ".."), sentAs: { name: mark } }],
      [blobsContext, { kind: "directory", path: join(run.root, "input"), sentAs: blobs }],
    ]),
    output: { kind: "tar" },
  });
  const { progress, onStarted, onStepsOver, receive } = run;
  const show = (name: string): string | undefined =>
    name.includes(mark) ? undefined : showStep(name.replace(mounts, ""), session.build);
  const extraLine = findExtraLine(stage, { declaresEpoch });
  const telling = { progress, onStarted, onStepsOver, receive, show, mark, extraLine };
  const isFloored = hasShell(stage) && hasExactTimes(stage, steps);
  try {
    await solveStep(session, call(isFloored), telling);
  } catch (error) {
    // What an image lacks for that step of ours is no fault of the file.
    if (!isFloored || !isFloorFailure(error, mark)) throw error;
    await solveStep(session, call(false), telling);
  }
}

/**
 * Whether times that steps have kept of somewhere else are to be the same as with other engines. Else files are compared
 * without them, and a second more or less is no matter: then the container of that step is saved.
 */
function hasExactTimes({ output }: LayeredStage, { epoch }: EngineBuild["steps"]): boolean {
  return epoch !== undefined || output.reuse === "exact";
}

function isDeclared({ layering }: LayeredStage, { environment }: LayeringRun): boolean {
  const name = "SOURCE_DATE_EPOCH";
  const variables = environment.config?.Env ?? [];
  return (
    layering.argumentsAtOutput.some((one) => one.name === name) ||
    variables.some((one) => one.startsWith(`${name}=`))
  );
}

/** A step as the user wrote it: images of other stages have the stages' names. What nobody but us has written is not told of. */
function showStep(
  name: string,
  { plan, steps }: Pick<EngineBuild, "plan" | "steps">,
): string | undefined {
  // It stands in the place of OUTPUT.
  if (isOwnCopy(name)) return undefined;
  const { built, images } = plan.dependencies;
  const names = [
    ...built.map((one) => [nameStageSource(one.index), one.name] as const),
    ...images.map((one, at) => [nameImageSource(at), one.name] as const),
  ].toReversed();
  // The one of a higher number begins with that of a lower one.
  return names.reduce(
    (text, [ours, own]) => text.replaceAll(ours, () => own),
    hideStep(name, plan, steps),
  );
}

function isOwnCopy(name: string): boolean {
  const at = name.indexOf("] ");
  return name.startsWith("[") && name.startsWith(`COPY --from=${layersContext} `, at + 2);
}

/** What all calls of a build have in common. */
function describeCall(
  { build: { steps, plan, sent }, sources }: Session,
  what: string,
): Omit<SolveCall, "text" | "output"> {
  const sentAs = sent.get(steps.context);
  return {
    context: steps.context,
    ...(sentAs === undefined ? {} : { sentAs }),
    ignoreFile: steps.ignoreFile,
    sources,
    buildArgs:
      steps.epoch === undefined
        ? steps.buildArgs
        : new Map([...steps.buildArgs, ["SOURCE_DATE_EPOCH", String(steps.epoch)]]),
    hiddenArgs: steps.hiddenArgs,
    triggerArgs: listTriggerArguments(plan),
    // The same on whatever machine the builder is.
    platform: steps.platform ?? plan.graph.options.targetPlatform,
    noCache: steps.noCache,
    // What a cache elsewhere has, any call may need.
    flags: [...steps.flags.access, ...steps.flags.step, ...listCaches(steps, "from")],
    purpose: nameCall(plan, what),
  };
}

function solveStep(
  session: Session,
  call: SolveCall,
  telling: Partial<SolveTelling>,
): Promise<void> {
  const { plan } = session.build;
  const whole = {
    containerfile: plan.containerfile,
    told: session.told,
    show: (name: string) => showStep(name, session.build),
    ...telling,
  };
  return onBuilder(
    session,
    async (client: BuildKitClient) => {
      await sendAnew(session, call, client);
      await solve({ call, client }, whole, session);
    },
    session,
  );
}

/**
 * buildctl has one name for the contexts of all clients of a builder, who keeps what was sent under it last and asks for
 * what has another size or time. Where that may not be right, nothing is kept: a call that leaves all of it out says so.
 */
async function sendAnew(session: Session, call: SolveCall, client: BuildKitClient): Promise<void> {
  const { steps, plan, sent } = session.build;
  const own = sent.get(steps.context);
  const mayKeep = own === undefined || own.isKept(client.name);
  if (client.program !== "buildctl" || mayKeep || !readsContext(call.text)) return;
  const ignoreFile = join(session.run.directory, "ignore-all");
  await writeFile(ignoreFile, "*\n");
  const empty = {
    ...call,
    ignoreFile,
    text: "FROM scratch\nCOPY . /\n",
    sources: new Map(),
    buildArgs: new Map(),
    flags: call.flags.filter((flag) => !/^--(?:secret|ssh|cache-(?:to|from))=/.test(flag)),
    output: { kind: "none" },
  } as const;
  const { containerfile } = plan;
  const telling = { containerfile, told: new Set<string>(), show: () => undefined };
  await solve({ call: empty, client }, telling, session);
  own.keep(client.name);
}

/** Whether a text may use the context, as well as a glance tells. */
function readsContext(text: string): boolean {
  return /\b(?:COPY|ADD)\b|--mount=/i.test(text);
}

/** The target is not named where it is the last stage without a name. */
function nameCall({ target, containerfile }: BuildPlan, what: string): string {
  const isNamed = containerfile.stages[target.index]?.name !== undefined;
  return what === target.name || !isNamed ? what : `${what} of ${target.name}`;
}

/** Names that triggers of bases declare: their texts are not ours to change. */
function listTriggerArguments({ dependencies }: BuildPlan): ReadonlySet<string> {
  const declarations = [...dependencies.fired].filter(({ keyword }) => keyword === "ARG");
  return new Set(
    declarations.flatMap(({ args }) =>
      args.split(/\s+/).map((word) => word.split("=", 1)[0] ?? ""),
    ),
  );
}
