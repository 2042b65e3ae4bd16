import { XbuildError } from "../errors.ts";
import type { Digest } from "../oci/oci.ts";
import { mayBeImageId, localHost } from "../oci/oci.ts";
import { parseRegistryReference, splitReference, type RegistryReference } from "../copy/copy.ts";
import { readRegistriesConf, resolveShortName } from "../registry/registry.ts";
import { readRemoteId } from "../copy/copy.ts";
import type { BuildRequest } from "./request.ts";

/**
 * The ID that an engine will give an image when it pulls it, or undefined where that cannot be known
 * without pulling: for names that only the engine can complete, other transports, and every failure.
 */
export async function identifyImage(
  name: string,
  request: BuildRequest,
  signal: AbortSignal,
): Promise<Digest | undefined> {
  const { access, registryPlatform: platform } = request;
  try {
    const reference = await completeReference(name, request);
    if (reference === undefined) return undefined;
    // One try: the pull is as patient as it was told to be.
    return await readRemoteId(reference, { access: { ...access, retries: 0 }, platform, signal });
  } catch (error) {
    if (error instanceof XbuildError) return undefined;
    throw error;
  }
}

/** The reference that a name of the file stands for in a registry; undefined where only the engine knows. */
export async function completeReference(
  name: string,
  { access }: Pick<BuildRequest, "access">,
): Promise<RegistryReference | undefined> {
  const parts = splitReference(name);
  // No registry has these, and an image ID is no name.
  if (parts === undefined || parts.host === localHost || mayBeImageId(name)) return undefined;
  if (parts.host !== undefined) return parseRegistryReference(name);
  const full = resolveShortName(await readRegistriesConf(access.env), parts.path);
  const resolveShort = (): string | undefined => full;
  return full === undefined
    ? undefined
    : parseRegistryReference(name, { resolveShortName: resolveShort });
}
