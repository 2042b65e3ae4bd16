import type { Image } from "../oci/oci.ts";
import { findRef, putRef } from "../store/store.ts";
import { findBuilt } from "./find-built.ts";
import { listBuildKeys, type NamedStage } from "./last-build.ts";
import type { BuildInputs } from "./resolve-inputs.ts";
import type { StageInputs } from "./stage-inputs.ts";
import type { Build, BuildWorkspace } from "./workspace.ts";

/** An image that was found, and the key that it was found by. */
export interface FoundImage {
  readonly image: Image;
  readonly key: BuildInputs["key"];
}

/**
 * It counts as the stage's last build, of its file and under its tag: the next one begins with it, and a prune leaves it.
 * @returns whether another one did so far
 */
export async function keepRef(
  build: NamedStage,
  { image, key }: FoundImage,
  { store }: BuildWorkspace,
): Promise<boolean> {
  const link = key === undefined ? {} : { record: key };
  let isOther = false;
  for (const name of listBuildKeys(build)) {
    const before = await findRef(store, name);
    if (before?.manifest === image.digest && before.record === key) continue;
    await putRef(store, { key: name, manifest: image.digest, ...link });
    isOther = true;
  }
  return isOther;
}

/** The same for a target that was found, and for the stages that it was made of, where these are still known. */
export async function keepRefs(
  target: Build,
  { image, inputs }: { readonly image: Image; readonly inputs: StageInputs },
  work: BuildWorkspace,
): Promise<void> {
  if (!(await keepRef(target, { image, key: target.inputs.key }, work))) return;
  for (const index of inputs.plans.keys()) {
    const build = await inputs.resolve(index);
    const { key } = build.inputs;
    const found = build === target ? undefined : await findBuilt(key, work);
    if (found !== undefined) await keepRef(build, { image: found, key }, work);
  }
}
