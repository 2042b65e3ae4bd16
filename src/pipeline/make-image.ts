import type { EngineSession } from "../engine/engine.ts";
import { type CollectedImage, collectImage } from "./collect-image.ts";
import { confirmInputs } from "./confirm-inputs.ts";
import { keepingOutput } from "./keep-output.ts";
import { rememberStages } from "./known-stages.ts";
import { loadStages } from "./load-stages.ts";
import { type LaidOut, layOut } from "./lay-out.ts";
import { joinSignals } from "../system/signals.ts";
import type { EarlierImages } from "./previous.ts";
import type { StepsResult } from "./prepare-layers.ts";
import { createSecondLook, type SecondLook } from "./second-look.ts";
import { evaluateStages, runTarget, type StageRun, withSession } from "./run-steps.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** Runs a stage's steps in the engine, and makes an image of what they wrote, which the store then has. */
export async function makeImage(
  build: Build,
  earlier: EarlierImages,
  work: BuildRunWorkspace,
): Promise<CollectedImage> {
  await loadStages(build, work);
  // Beside the beginning of the session: neither needs the other, and where that fails nobody waits for layers on their way.
  const ended = new AbortController();
  const signal = joinSignals([work.signal, ended.signal]);
  const layingOut = layOut(build, earlier, { ...work, signal });
  void layingOut.catch(() => undefined);
  const make = async (session: EngineSession): Promise<CollectedImage> =>
    runSteps(build, { ...(await layingOut), session }, work);
  try {
    return await withSession(build, work, make);
  } finally {
    ended.abort();
    await Promise.allSettled([layingOut]);
  }
}

async function runSteps(
  build: Build,
  { session, ...before }: LaidOut & Pick<StageRun, "session">,
  work: BuildRunWorkspace,
): Promise<CollectedImage> {
  const stages = await evaluateStages(build, session, work);
  const confirm = async (): Promise<Build> => {
    const confirmed = await confirmInputs(build, work);
    await rememberStages(confirmed, stages, work);
    return confirmed;
  };
  const looks = createSecondLook(confirm, work);
  try {
    const run = { session, stages, look: looks.begin, ...before };
    const result = await runTarget(build, run, work);
    work.answers?.settle();
    return await collectMade(build, { result, looks }, work);
  } finally {
    await looks.settle();
  }
}

interface Made {
  readonly result: StepsResult;
  readonly looks: SecondLook;
}

async function collectMade(
  build: Build,
  { result, looks }: Made,
  work: BuildRunWorkspace,
): Promise<CollectedImage> {
  // Neither needs the other, and each waits for the disk now and then.
  const collect = async (): Promise<CollectedImage> => {
    const confirmed = looks.last();
    try {
      return await collectImage({ ...build, confirmed }, result, work);
    } finally {
      // Where it fails the engine may still be at work.
      await Promise.allSettled([result.configs]);
    }
  };
  if (result.made.kind === "engine") return collect();
  const { prepared, received } = result.made;
  return keepingOutput({ build, prepared, received }, collect, work);
}
