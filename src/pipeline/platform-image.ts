import { readRemoteImage, type RegistryReference } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import {
  type Digest,
  type Image,
  isLocalName,
  isSamePlatform,
  localName,
  mayBeImageId,
  pickPlatform,
  renderPlatform,
  type WantedPlatform,
} from "../oci/oci.ts";
import { markUse } from "../store/store.ts";
import { describePlatform, findHost, readStoredPlatform } from "./image-platform.ts";
import { assertNoLocal, isFitting, type PlatformUse, refuseOther } from "./assert-platform.ts";
import { completeReference } from "./identify.ts";
import { placeError } from "./place-error.ts";
import type { BuildWorkspace } from "./workspace.ts";

/**
 * The image for the platform that the engine has: the one that the name stands for, where that is for this platform; else
 * the one that was pulled for it before; undefined where it has none. No name of the user's moves to an image of another
 * platform.
 */
export async function findForPlatform(
  use: PlatformUse,
  work: BuildWorkspace,
): Promise<Digest | undefined> {
  const { name } = use.reference;
  const named = await work.engine.findImage(name);
  // An ID says which image is meant, whatever it is for.
  if (named !== undefined && mayBeImageId(name)) return named;
  const own = named === undefined ? undefined : await readStoredPlatform(named, use.plan, work);
  if (own !== undefined && isSamePlatform(own, use.platform)) return named;
  const other = (await findInList(use, work)) ?? (await findPulled(use, work));
  if (other !== undefined) return other;
  const isLast = use.request.steps.pull === "never" || isLocalName(name);
  return isLast && own !== undefined && isFitting(own, use.platform) ? named : undefined;
}

/** Of a manifest list in the engine's storage. */
async function findInList(
  { reference, platform }: PlatformUse,
  { engine }: BuildWorkspace,
): Promise<Digest | undefined> {
  const entries = await engine.readList(reference.name);
  const entry = pickPlatform(entries ?? [], platform);
  return entry === undefined ? undefined : engine.findManifest(entry.digest);
}

async function findPulled(use: PlatformUse, work: BuildWorkspace): Promise<Digest | undefined> {
  const reference = await completeReference(use.reference.name, work.registries);
  const keep = nameBase(reference?.name ?? use.reference.name, use.platform);
  const id = await work.engine.findImage(keep);
  if (id !== undefined) await markUse(work.store, keep);
  return id;
}

/** The name that keeps it in the engine's storage between builds, as the environments' names do. */
function nameBase(name: string, platform: WantedPlatform): string {
  const of = [name, renderPlatform(platform)].join("\n");
  return localName("xbuild-base", of);
}

/**
 * Has the engine pull it: by the digest of the platform's manifest, which moves no name. Where only the engine knows what
 * a name stands for, it pulls it by that, and names that moved are put back. @returns its ID
 */
export async function pullForPlatform(use: PlatformUse, work: BuildWorkspace): Promise<Digest> {
  const { reference, platform, request } = use;
  const { name } = reference;
  await assertNoLocal(use, work);
  const done = work.reporter.step(`Pulling ${name} for ${renderPlatform(platform)}`);
  const full = await completeReference(name, work.registries);
  const remote = full && (await readRemote(full, use, work));
  const isNamed = await mayTakeName(use, work);
  const source = { flags: request.steps.flags, name: full?.name ?? name, isNamed };
  const by =
    full === undefined || remote === undefined
      ? { platform: renderPlatform(platform) }
      : { manifest: `${full.repository}@${remote.digest}` };
  const keep = nameBase(full?.name ?? name, platform);
  const id = await work.engine.pullAs({ ...source, ...by }, keep, work);
  await markUse(work.store, keep);
  done();
  const own = await readStoredPlatform(id, use.plan, work);
  if (!isFitting(own, platform)) throw refuseOther(use, own);
  return id;
}

/**
 * Whether the name may stand for what is pulled, as after any pull: where it stands for the platform's image already,
 * or for none, and the platform is this machine's.
 */
async function mayTakeName(
  { reference: { name }, platform, plan }: PlatformUse,
  work: BuildWorkspace,
): Promise<boolean> {
  const named = await work.engine.findImage(name);
  const own = named === undefined ? findHost(plan) : await readStoredPlatform(named, plan, work);
  return isSamePlatform(own, platform);
}

/** undefined where it cannot be known here: then the engine's pull will say. Errors: `image-unsupported` */
async function readRemote(
  full: RegistryReference,
  use: PlatformUse,
  { registries, signal }: BuildWorkspace,
): Promise<Image | undefined> {
  const access = { ...registries, retries: 0 };
  try {
    const image = await readRemoteImage(full, { access, platform: use.platform, signal });
    if (image === undefined) return undefined;
    const own = describePlatform(image.config, use.plan);
    if (!isFitting(own, use.platform)) throw refuseOther(use, own);
    return image;
  } catch (error) {
    if (!(error instanceof XbuildError) || signal.aborted) throw error;
    if (error.code === "image-unsupported") throw placeError(error, use);
    return undefined;
  }
}
