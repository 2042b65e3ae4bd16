import { lookAhead } from "../delivery/delivery.ts";
import { inBriefStep } from "../reporter.ts";
import { arrangeBases, nameBases } from "./arrange-bases.ts";
import { findBases } from "./bases.ts";
import { type LayersBefore, type PreparedLayers, prepareLayers } from "./prepare-layers.ts";
import { readSharedHistory } from "./read-history.ts";
import { type EarlierImages, findPrevious } from "./previous.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** All that is there before the steps of a target begin, the engine's part apart. */
export interface LaidOut extends LayersBefore {
  /** The directory that layering steps write to; undefined of a target without OUTPUT. */
  readonly prepared: PreparedLayers | undefined;
}

/** Looks for earlier images and the layers below, and lays out the layers directory. Needs nothing of the engine's session. */
export async function layOut(
  build: Build,
  earlier: EarlierImages,
  work: BuildRunWorkspace,
): Promise<LaidOut> {
  const { plan, request } = build;
  const { target } = plan;
  const reading = target.kind === "plain" ? undefined : readSharedHistory(request.reuse, work);
  void reading?.catch(() => undefined);
  const find = (): ReturnType<typeof findPrevious> => findPrevious(build, earlier, work);
  const previous = await inBriefStep("Previous images of the store", find, work);
  lookAhead(previous, request.delivery.pushes, work);
  const arrange = async (): Promise<LayersBefore> => {
    const bases = await findBases(build, previous, work);
    return { previous, bases, arranged: await arrangeBases(bases, nameBases(plan), work) };
  };
  const before = await inBriefStep("Finding the layers below", arrange, work);
  if (target.kind === "plain") return { ...before, prepared: undefined };
  const { output } = target;
  const releases = (await reading) ?? [];
  const prepare = (): Promise<PreparedLayers> =>
    prepareLayers(build, { ...before, output, releases }, work);
  return {
    ...before,
    prepared: await inBriefStep("Preparing the layers directory", prepare, work),
  };
}
