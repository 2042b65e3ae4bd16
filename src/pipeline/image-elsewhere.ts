import { readRemoteImage } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import {
  type Digest,
  type Image,
  isLocalName,
  parseImageName,
  renderPlatform,
  type WantedPlatform,
} from "../oci/oci.ts";
import { findConfig, findImage, keepConfig } from "../store/store.ts";
import { completeReference } from "./identify.ts";
import { findWanted, type ImageUse, isElsewhere, type ResolvedImage } from "./resolve-images.ts";
import type { BuildWorkspace } from "./workspace.ts";

/**
 * The image of a use for an engine elsewhere: what the store has under that name, as with other engines what their storage
 * has (`--pull`), else what its registry has under it now, by its digest. Its config is the store's from then on. Errors:
 * `image-pull-failed`, `registry-*`.
 */
export async function resolveElsewhere(
  { reference, request }: ImageUse,
  work: BuildWorkspace,
): Promise<ResolvedImage> {
  const { name } = reference;
  const platform = findWanted(reference, request) ?? request.reuse.platform;
  const { pull } = request.steps;
  const asksRegistry = (pull === "always" || pull === "newer") && !isLocalName(name);
  const stored = asksRegistry ? undefined : await findStored(name, platform, work);
  if (stored !== undefined) {
    const id = await remember(stored.manifest.config.digest, stored.configBytes, work);
    return { id, isHere: true, source: { stored: stored.digest } };
  }
  if (pull === "never") throw notHere(name, work);
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

/** A name with a digest says which image is meant: the registry has that very one. */
async function findStored(
  name: string,
  platform: WantedPlatform,
  { store }: BuildWorkspace,
): Promise<Image | undefined> {
  return name.includes("@") || isElsewhere(name)
    ? undefined
    : findImage(store, parseImageName(name).full, platform);
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
