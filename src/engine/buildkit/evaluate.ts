import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { Instruction, ResolvedStage } from "../../containerfile/containerfile.ts";
import { type Digest, digestBytes } from "../../oci/oci.ts";
import { imageKey, type LayeredStage, type StagePlan } from "../../plan/plan.ts";
import { settleAll } from "../../system/settle.ts";
import type { ImagePlace, StageRun } from "../model.ts";
import { describeCall, listCaches, solveStep } from "./calls.ts";
import { lowerEnvironment, lowerMetadata, lowerPlain } from "./lower.ts";
import { keepMetadata, makeTwin, withoutOwn } from "./metadata.ts";
import { readLayout } from "./read-layout.ts";
import type { Session } from "./session-model.ts";
import type { NamedSource, SolveCall } from "./solve-call.ts";

/** @returns the ID of what stands for a stage: its config's digest, or where nothing of it is asked for that of its text */
export async function evaluateStage(
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

export function needsFiles(instructions: readonly Instruction[]): boolean {
  return instructions.some(({ keyword }) => ["RUN", "COPY", "ADD"].includes(keyword));
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
export async function evaluateMetadata(
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
