import { readRemoteImage } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import { renderPlatform } from "../oci/oci.ts";
import { findConfig, keepConfig } from "../store/store.ts";
import { completeReference } from "./identify.ts";
import { findWanted, type ImageUse, type ResolvedImage } from "./resolve-images.ts";
import type { BuildWorkspace } from "./workspace.ts";

/**
 * The image of a use for an engine elsewhere: what its registry has under that name now, by its digest. Its config is the
 * store's from then on. Errors: `image-pull-failed`, `registry-*`.
 */
export async function resolveElsewhere(
  { reference, request }: ImageUse,
  work: BuildWorkspace,
): Promise<ResolvedImage> {
  const { name } = reference;
  const platform = findWanted(reference, request) ?? request.reuse.platform;
  const full = await completeReference(name, work.registries);
  if (full === undefined) throw notInRegistry(name, work);
  const { registries: access, signal } = work;
  const image = await readRemoteImage(full, { access, platform, signal });
  if (image === undefined) {
    const message = `cannot pull ${name} for ${renderPlatform(platform)}: its registry does not have it`;
    throw new XbuildError("image-pull-failed", message, { hint: "check the name and the tag" });
  }
  const id = image.manifest.config.digest;
  if ((await findConfig(work.store, id)) === undefined)
    await keepConfig(work.store, id, image.configBytes);
  return { id, isHere: true, source: `${full.repository}@${image.digest}` };
}

function notInRegistry(name: string, { engine }: BuildWorkspace): XbuildError {
  const message = `${engine.name} has no image ${name}: images come from registries there`;
  return new XbuildError("image-pull-failed", message, {
    hint: "push it to a registry, and name it in full",
  });
}
