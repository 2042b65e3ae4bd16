import {
  parseRegistryReference,
  readRemoteId,
  readRemoteImage,
  type RegistryReference,
  splitReference,
  type TransportAccess,
  type WantedPlatform,
} from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import { type Digest, localHost, mayBeImageId } from "../oci/oci.ts";
import { readRegistriesConf, resolveShortName } from "../registry/registry.ts";
import type { BuildWorkspace } from "./workspace.ts";

/**
 * The ID that an engine will give an image when it pulls it, or undefined where that cannot be known
 * without pulling: for names that only the engine can complete, other transports, and every failure.
 */
export async function identifyImage(
  name: string,
  platform: WantedPlatform,
  { registries, signal }: BuildWorkspace,
): Promise<Digest | undefined> {
  try {
    const reference = await completeReference(name, registries);
    if (reference === undefined) return undefined;
    // One try: the pull is as patient as it was told to be.
    const access = { ...registries, retries: 0 };
    return await readRemoteId(reference, { access, platform, signal });
  } catch (error) {
    if (error instanceof XbuildError) return undefined;
    throw error;
  }
}

/** The config of an image that only a registry has, the bytes that it gives; undefined where that is not to be had. */
export async function readConfigBytes(
  name: string,
  { id, platform }: { readonly id: Digest; readonly platform: WantedPlatform },
  { registries, signal }: BuildWorkspace,
): Promise<Uint8Array | undefined> {
  try {
    const reference = await completeReference(name, registries);
    if (reference === undefined) return undefined;
    const access = { ...registries, retries: 0 };
    const image = await readRemoteImage(reference, { access, platform, signal });
    return image?.manifest.config.digest === id ? image.configBytes : undefined;
  } catch (error) {
    if (error instanceof XbuildError && !signal.aborted) return undefined;
    throw error;
  }
}

/** The reference that a name of the file stands for in a registry; undefined where only the engine knows. */
export async function completeReference(
  name: string,
  { env }: TransportAccess,
): Promise<RegistryReference | undefined> {
  const parts = splitReference(name);
  // No registry has these, and an image ID is no name.
  if (parts === undefined || parts.host === localHost || mayBeImageId(name)) return undefined;
  if (parts.host !== undefined) return parseRegistryReference(name);
  const full = resolveShortName(await readRegistriesConf(env), parts.path);
  return full === undefined
    ? undefined
    : parseRegistryReference(name, { resolveShortName: () => full });
}
