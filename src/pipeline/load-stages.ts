import { deliverImage } from "../delivery/delivery.ts";
import { type Digest, type Image, localName, parseImageName } from "../oci/oci.ts";
import { inBriefStep } from "../reporter.ts";
import { describeLayers } from "../units.ts";
import type { BuildRequest } from "./request.ts";
import { nameBuilt } from "./resolve-images.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/**
 * Has the engine take in the images of other stages that its steps use: all their layers, and those that are not here
 * are fetched for it. Of those whose layers only stand below (`OUTPUT --from`) it needs nothing.
 * Errors: `layer-gone`, `registry-*`, `copy-failed`.
 */
export async function loadStages(build: Build, work: BuildRunWorkspace): Promise<void> {
  if (work.engine.isElsewhere) return;
  for (const index of listUsed(build)) {
    const stage = build.inputs.stages.get(index);
    if (stage === undefined) throw new RangeError(`the stage ${index} has no image`);
    const { image, name } = stage;
    await work.shared.loadStage(image.digest, async () => {
      const keep = nameLoaded(name, build.request);
      await work.run.use(keep);
      const look = (): Promise<boolean> => isLoaded(image, keep, work);
      if (await inBriefStep(`Looking for the stage ${name} in the engine`, look, work)) return;
      const done = work.reporter.step(`Loading the stage ${name}`);
      await loadImage(image, keep, work);
      const isBase = build.plan.dependencies.stages.some(
        ({ base }) => base.kind === "built" && base.index === index,
      );
      done(
        `${describeLayers(image.manifest.layers)}${isBase ? `; OUTPUT --from=${name} needs none of it here` : ""}`,
      );
    });
  }
}

/** With a name of ours it stays when others give up theirs. */
async function isLoaded(image: Image, keep: string, work: BuildRunWorkspace): Promise<boolean> {
  const id = image.manifest.config.digest;
  const isHere = (await work.engine.findImage(id)) !== undefined;
  return isHere && work.engine.keepImage(id, keep, work);
}

/** Images that the engine has, or gets, for the build: those of other stages only where steps use them. */
export function listLoaded(build: Build): ReadonlyMap<string, Digest> {
  const { inputs } = build;
  const used = new Set([...listUsed(build)].map(nameBuilt));
  const stages = new Set([...inputs.stages.keys()].map(nameBuilt));
  const isLoaded = (name: string): boolean =>
    !inputs.placed.has(name) && (!stages.has(name) || used.has(name));
  return new Map([...inputs.images].filter(([name]) => isLoaded(name)));
}

/** Indexes of the stages that the engine needs as images: bases, and what instructions copy from or mount. */
export function listUsed({ plan }: Pick<Build, "plan">): ReadonlySet<number> {
  const references = plan.dependencies.stages.flatMap(({ base, uses }) => [
    base,
    ...uses.map(({ reference }) => reference),
  ]);
  return new Set(references.flatMap((one) => (one.kind === "built" ? [one.index] : [])));
}

/** The name that keeps it in the engine's storage between builds, as the environments' names do. */
function nameLoaded(stage: string, { steps }: BuildRequest): string {
  const of = [steps.cacheKey, steps.platform ?? "", stage, "image"].join("\n");
  return localName("xbuild-env", of);
}

/** Gives the engine an image of the store under a name of ours. Errors: as above */
export async function loadImage(
  image: Image,
  name: string,
  work: BuildRunWorkspace,
): Promise<void> {
  const delivery = { names: [parseImageName(name)], pushes: [], destinations: [], load: true };
  // In Docker's format it would have another ID.
  await deliverImage(image, { request: { ...delivery, format: "oci" }, isChecked: true }, work);
}
