import { XbuildError } from "../errors.ts";
import {
  type Descriptor,
  type Digest,
  type Image,
  type LayerFiles,
  listHistory,
  readFingerprint,
} from "../oci/oci.ts";
import { identifyLayer, type LayerIdentity } from "../archive/archive.ts";
import { createImageUntrue } from "./useless-layers.ts";
import type { RunWorkspace } from "./workspace.ts";

/** What an image says of a layer: its digest and size, its diff ID, in an annotation the fingerprint of its content. */
export interface LayerClaim {
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
}

export interface LayerCheck {
  readonly claims: readonly LayerClaim[];
  /** Whether the fingerprints of all are wanted, not only of those of which one is claimed. */
  readonly fingerprints?: boolean;
}

/** What an image says of its layers, the lowest first. */
export function listClaims(image: Pick<Image, "manifest" | "config">): readonly LayerClaim[] {
  return listHistory(image).flatMap(({ layer }) => (layer === undefined ? [] : [layer]));
}

/**
 * Checks bytes that came from elsewhere against what images say of them: skopeo has checked the digests, and anybody
 * can pair a digest with another layer's diff ID. @returns what the bytes say of themselves.
 * Errors: `image-untrue`.
 */
export async function verifyLayers(
  { claims, fingerprints = false }: LayerCheck,
  files: LayerFiles,
  { run, signal }: Pick<RunWorkspace, "run" | "signal">,
): Promise<ReadonlyMap<Digest, LayerIdentity>> {
  const identities = new Map<Digest, LayerIdentity>();
  const untrue = new Map<Digest, string>();
  for (const [digest, path] of files) {
    const own = claims.filter(({ descriptor }) => descriptor.digest === digest);
    if (own.length === 0) continue;
    const fingerprint = fingerprints || own.some(hasFingerprint);
    const options = { fingerprint, staging: run.staging, signal };
    const identity = await identify(digest, path, options);
    const finding = own.map((claim) => compare(claim, identity)).find((one) => one !== undefined);
    if (finding !== undefined) untrue.set(digest, finding);
    else if (typeof identity !== "string") identities.set(digest, identity);
  }
  if (untrue.size > 0) throw createImageUntrue([...untrue.keys()], [...untrue.values()]);
  return identities;
}

function hasFingerprint({ descriptor }: LayerClaim): boolean {
  return readFingerprint(descriptor) !== undefined;
}

/** @returns a text where the bytes are no layer at all: what is wrong with them */
async function identify(
  digest: Digest,
  path: string,
  options: Parameters<typeof identifyLayer>[1],
): Promise<LayerIdentity | string> {
  try {
    return await identifyLayer({ path, shown: digest }, options);
  } catch (error) {
    if (!(error instanceof XbuildError) || !error.code.startsWith("layer-")) throw error;
    return error.message;
  }
}

function compare(
  { descriptor, diffId }: LayerClaim,
  identity: LayerIdentity | string,
): string | undefined {
  if (typeof identity === "string") return `${identity} (the image says that it is a layer)`;
  const { digest } = descriptor;
  if (identity.diffId !== diffId) {
    return `${digest} has the diff ID ${identity.diffId}, but the image claims ${diffId}`;
  }
  const claimed = readFingerprint(descriptor);
  if (claimed === undefined || claimed === identity.fingerprint) return undefined;
  return `${digest} has the content ${identity.fingerprint ?? ""}, but the image claims ${claimed}`;
}
