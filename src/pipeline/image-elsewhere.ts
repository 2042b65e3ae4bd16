import { readRemoteImage } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import { type Digest, isLocalName, parseImageName, renderPlatform } from "../oci/oci.ts";
import { findConfig, findImage, keepConfig } from "../store/store.ts";
import { completeReference } from "./identify.ts";
import { findWanted, type ImageUse, type ResolvedImage } from "./resolve-images.ts";
import type { BuildWorkspace } from "./workspace.ts";

/**
 * The image of a use for an engine elsewhere: of a local name (`localhost/...`) what the store has, else what its registry
 * has under that name now, by its digest. Its config is the store's from then on. Errors: `image-pull-failed`,
 * `registry-*`.
 */
export async function resolveElsewhere(
  { reference, request }: ImageUse,
  work: BuildWorkspace,
): Promise<ResolvedImage> {
  const { name } = reference;
  const platform = findWanted(reference, request) ?? request.reuse.platform;
  if (isLocalName(name)) {
    const stored = await findImage(work.store, parseImageName(name).full, platform);
    if (stored === undefined) throw notHere(name, work);
    const id = await remember(stored.manifest.config.digest, stored.configBytes, work);
    return { id, isHere: true, source: { stored: stored.digest } };
  }
  const full = await completeReference(name, work.registries);
  if (full === undefined) throw notHere(name, work);
  const { registries: access, signal } = work;
  const image = await readRemoteImage(full, { access, platform, signal });
  if (image === undefined) {
    const message = `cannot pull ${name} for ${renderPlatform(platform)}: its registry does not have it`;
    throw new XbuildError("image-pull-failed", message, { hint: "check the name and the tag" });
  }
  const id = await remember(image.manifest.config.digest, image.configBytes, work);
  return { id, isHere: true, source: { registry: `${full.repository}@${image.digest}` } };
}

async function remember(
  id: Digest,
  config: Uint8Array,
  { store }: BuildWorkspace,
): Promise<Digest> {
  if ((await findConfig(store, id)) === undefined) await keepConfig(store, id, config);
  return id;
}

function notHere(name: string, { engine }: BuildWorkspace): XbuildError {
  const message = `there is no image ${name}: for ${engine.name} images come from registries, and local names from the store`;
  return new XbuildError("image-pull-failed", message, {
    hint: "push it to a registry, and name it in full; or build it with xbuild -t localhost/NAME",
  });
}
