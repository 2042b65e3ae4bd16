import { join } from "node:path";
import { type Digest, digestBytes } from "../../oci/oci.ts";
import type { LayeredStage } from "../../plan/plan.ts";
import { settleAll } from "../../system/settle.ts";
import { blobsKey, type LayeringRun } from "../model.ts";
import { describeCall, solveStep } from "./calls.ts";
import { evaluateMetadata, needsFiles } from "./evaluate.ts";
import { isFloorFailure } from "./floor.ts";
import {
  blobsContext,
  declaresEpoch,
  findExtraLine,
  layersContext,
  lowerLayering,
  mountedNames,
  needsFloor,
  renderMounts,
} from "./lower.ts";
import type { Session } from "./session-model.ts";
import { showStep } from "./show-step.ts";
import { writeRunMark, writeSkeleton } from "./skeleton.ts";
import type { SolveCall } from "./solve-call.ts";

/** Runs the layering steps, and evaluates the metadata beside them. @returns the digest of the config */
export async function runLayering(
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
  const mounts = ` ${renderMounts(mountedNames, stage)}`;
  const blobs = sent.get(blobsKey) ?? { name: mark };
  const isAdded = steps.epoch !== undefined && !declaresEpoch(stage, run.environment);
  const call = (isFloored: boolean): SolveCall => ({
    ...describeCall(session, "layering steps"),
    text: lowerLayering(plan, stage, {
      mounted: mountedNames,
      mark,
      isFloored,
      declaresEpoch: isAdded,
    }),
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
  const extraLine = findExtraLine(stage, { declaresEpoch: isAdded });
  const telling = { progress, onStarted, onStepsOver, receive, show, mark, extraLine };
  const isFloored = needsFloor(stage, steps);
  try {
    await solveStep(session, call(isFloored), telling);
  } catch (error) {
    // What an image lacks for that step of ours is no fault of the file.
    if (!isFloored || !isFloorFailure(error, mark)) throw error;
    await solveStep(session, call(false), telling);
  }
}
