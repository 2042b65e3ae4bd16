import { XbuildError } from "../errors.ts";
import type { Digest } from "../oci/oci.ts";
import { parseReference, type ImageReference } from "../copy/copy.ts";
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
    if (reference?.repository === undefined) return undefined;
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
): Promise<ImageReference | undefined> {
  // No registry has these, and an image ID is no name.
  if (name.startsWith("localhost/") || /^(?:sha256:)?[0-9a-f]{12,64}$/.test(name)) return undefined;
  if (isComplete(name)) return parseReference(name);
  const [front, end] = splitTag(name);
  const full = resolveShortName(await readRegistriesConf(access.env), front);
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
