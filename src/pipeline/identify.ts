import {
  type ImageReference,
  parseReference,
  readRemoteId,
  type TransportAccess,
  type WantedPlatform,
} from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import type { Digest } from "../oci/oci.ts";
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
    if (reference?.repository === undefined) return undefined;
    // One try: the pull is as patient as it was told to be.
    const access = { ...registries, retries: 0 };
    return await readRemoteId(reference, { access, platform, signal });
  } catch (error) {
    if (error instanceof XbuildError) return undefined;
    throw error;
  }
}

/** The reference that a name of the file stands for in a registry; undefined where only the engine knows. */
export async function completeReference(
  name: string,
  { env }: TransportAccess,
): Promise<ImageReference | undefined> {
  // No registry has these, and an image ID is no name.
  if (name.startsWith("localhost/") || /^(?:sha256:)?[0-9a-f]{12,64}$/.test(name)) return undefined;
  if (isComplete(name)) return parseReference(name);
  const [front, end] = splitTag(name);
  const full = resolveShortName(await readRegistriesConf(env), front);
  return full === undefined ? undefined : parseReference(full + end);
}

function isComplete(name: string): boolean {
  const first = name.replace(/^docker:\/\//, "").split("/")[0] ?? "";
  return name.includes("/") && /[.:]/.test(first);
}

/** `name` and `:tag` or `@digest`, as it stands. */
function splitTag(name: string): readonly [string, string] {
  const end = /[:@]/.exec(name)?.index ?? name.length;
  return [name.slice(0, end), name.slice(end)];
}
