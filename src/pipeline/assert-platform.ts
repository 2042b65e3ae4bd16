import { readRemoteIndex } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import {
  isLocalName,
  isSamePlatform,
  pickPlatform,
  renderPlatform,
  type WantedPlatform,
} from "../oci/oci.ts";
import { listSome } from "../text.ts";
import { completeReference } from "./identify.ts";
import { findHost, readStoredPlatform } from "./image-platform.ts";
import { placeError } from "./place-error.ts";
import type { ImageUse } from "./resolve-images.ts";
import type { BuildWorkspace } from "./workspace.ts";

/** An image that is wanted for a platform, whatever machine this is. */
export interface PlatformUse extends ImageUse {
  readonly platform: WantedPlatform;
}

/** Milliseconds: the pull is as patient as it was told to be. */
const patience = 10_000;

/**
 * Refuses a name that no image for this machine stands for in its registry, before the engine says so in words of its own:
 * that is, a manifest list without one. An image in no list is for what it is for. What cannot be found out the pull will
 * say. Errors: `image-unsupported`
 */
export async function assertOffered(use: ImageUse, work: BuildWorkspace): Promise<void> {
  const { registries, signal } = work;
  const full = await completeReference(use.reference.name, registries);
  if (full === undefined) return;
  const access = { ...registries, retries: 0, timeout: Math.min(registries.timeout, patience) };
  const index = await readRemoteIndex(full, { access, signal }).catch((error: unknown) => {
    if (!(error instanceof XbuildError) || signal.aborted) throw error;
  });
  const platform = findHost(use.plan);
  if (index === undefined || index.platforms.some((one) => isFitting(one, platform))) return;
  throw refuseOther({ ...use, platform }, ...index.platforms);
}

/** No registry has a local image for another platform. Errors: `image-unsupported` */
export async function assertNoLocal(use: PlatformUse, work: BuildWorkspace): Promise<void> {
  if (isLocalName(use.reference.name)) await assertNoOther(use, work);
}

/** Refuses a name that stands for images of other platforms in the engine's storage. Errors: `image-unsupported` */
export async function assertNoOther(use: PlatformUse, work: BuildWorkspace): Promise<void> {
  const { name } = use.reference;
  const entries = await work.engine.readList(name);
  const offered = entries?.flatMap(({ platform }) => (platform ? [platform] : [])) ?? [];
  // One that it names may be gone.
  if (offered.some((one) => isFitting(one, use.platform))) return;
  if (offered.length > 0) throw refuseOther(use, ...offered);
  const named = await work.engine.findImage(name);
  if (named === undefined) return;
  const own = await readStoredPlatform(named, use.plan, work);
  if (!isSamePlatform(own, use.platform)) throw refuseOther(use, own);
}

/** An image, or a list of them, for other platforms alone. */
export function refuseOther(use: PlatformUse, ...offered: readonly WantedPlatform[]): XbuildError {
  const { reference, platform } = use;
  const text = renderPlatform(platform);
  const others = listSome([...new Set(offered.map((one) => renderPlatform(one)))]);
  const message = `${reference.name}: this image is for ${others}, not for ${text}`;
  const hint =
    "name an image for that platform, or say in FROM which one is meant: FROM --platform=OS/ARCH";
  return placeError(new XbuildError("image-unsupported", message, { hint }), use);
}

export function isFitting(own: WantedPlatform, platform: WantedPlatform): boolean {
  return pickPlatform([{ platform: own }], platform) !== undefined;
}
