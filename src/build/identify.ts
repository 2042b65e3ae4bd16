import { XbuildError } from "../errors.ts";
import type { Digest } from "../oci/model.ts";
import { parseReference } from "../transport/reference.ts";
import { readRegistriesConf, resolveShortName } from "../transport/registry/registries-conf.ts";
import { readRemoteId } from "../transport/remote-image.ts";
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
  // No registry has these.
  if (name.startsWith("localhost/")) return undefined;
  const conf = await readRegistriesConf(access.env);
  const full = isComplete(name) ? name : resolveShortName(conf, splitTag(name)[0]);
  if (full === undefined) return undefined;
  try {
    const reference = parseReference(isComplete(name) ? name : full + splitTag(name)[1]);
    if (reference.repository === undefined) return undefined;
    // One try: the pull is as patient as it was told to be.
    return await readRemoteId(reference, { access: { ...access, retries: 0 }, platform, signal });
  } catch (error) {
    if (error instanceof XbuildError) return undefined;
    throw error;
  }
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
