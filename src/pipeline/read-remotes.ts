import { join } from "node:path";
import type { ImageReference } from "../copy/copy.ts";
import { restateError, XbuildError } from "../errors.ts";
import type { PreviousImage } from "../layers/layers.ts";
import { type Digest, locateImage } from "../oci/oci.ts";
import type { BuildRequest, ReuseRequest } from "./request.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/**
 * The previous images that are not in the store: what --cache-from names, in the order given, then the
 * names that the image will be pushed to. Of those in a registry only manifest and config are read.
 * A name that is only pushed to and may not be read (401, 403) counts as not there, with a warning.
 * Errors: whatever else keeps one from being read, naming the reference, unless --ignore-cache-errors.
 */
export async function readRemotes(
  { reuse }: BuildRequest,
  work: BuildRunWorkspace,
): Promise<readonly PreviousImage[]> {
  const { pushes } = reuse;
  const named = new Set(reuse.cacheFrom.map((one) => one.text));
  const references = [...reuse.cacheFrom, ...pushes.filter((one) => !named.has(one.text))];
  if (references.length === 0) return [];
  const done = work.reporter.step("Previous images");
  const read = references.map((reference, index) =>
    tolerate(
      { ...reuse, isPushedOnly: index >= reuse.cacheFrom.length },
      () => readRemote(reference, { reuse, index }, work),
      work,
    ),
  );
  const destinations = new Set(pushes.map((one) => one.text));
  const remotes = (await Promise.all(read)).flatMap((remote, index): readonly PreviousImage[] => {
    if (remote === undefined) return [];
    const origin = index < reuse.cacheFrom.length ? "named" : "pushed";
    const isDestination = destinations.has(references[index]?.text ?? "");
    const trusted = reuse.trust !== "none";
    return [{ ...remote, origin, isDestination, trusted, withheld: new Set() }];
  });
  done(describeFound(remotes.length, references.length));
  return remotes;
}

function describeFound(found: number, asked: number): string {
  if (asked === 1) return found === 1 ? "found" : "none yet";
  return `${found} of ${asked} found`;
}

type RemoteImage = Pick<PreviousImage, "reference" | "image" | "locations" | "files">;

interface Tolerance extends Pick<ReuseRequest, "ignoreErrors"> {
  /** A name that nobody asked us to read: the push itself says what is allowed. */
  readonly isPushedOnly: boolean;
}

async function tolerate(
  { ignoreErrors, isPushedOnly }: Tolerance,
  action: () => Promise<RemoteImage | undefined>,
  { reporter, signal }: BuildRunWorkspace,
): Promise<RemoteImage | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof XbuildError) || signal.aborted) throw error;
    const { code, message } = error;
    // Registries answer so for a tag that is not there yet, too.
    const mayBeNew = isPushedOnly && code === "registry-denied";
    if (!ignoreErrors && !mayBeNew) throw explainCacheError(error);
    const outcome = mayBeNew ? "counts as not there" : "continuing without it";
    reporter.warn({ code, severity: "warning", message: `${message}; ${outcome}` });
    return undefined;
  }
}

function explainCacheError(error: XbuildError): XbuildError {
  const { hint } = error;
  const more = "--ignore-cache-errors builds without this previous image";
  const isSaid = hint?.includes(more) === true;
  return restateError(error, {
    hint: hint === undefined || isSaid ? (hint ?? more) : `${hint}; ${more}`,
  });
}

async function readRemote(
  reference: ImageReference,
  { reuse: { platform }, index }: { readonly reuse: ReuseRequest; readonly index: number },
  { registries: access, signal, run }: BuildRunWorkspace,
): Promise<RemoteImage | undefined> {
  const scratch = join(run.directory, `previous-${index}`);
  const { repository } = reference;
  if (repository !== undefined) {
    const { readRemoteImage } = await import("../copy/copy.ts");
    const image = await readRemoteImage(reference, { access, platform, signal, scratch });
    if (image === undefined) return undefined;
    const named = nameWithDigest(reference, image.digest);
    const locations = [locateImage(image, repository)];
    return { reference: named, image, locations, files: new Map() };
  }
  const { readLocalImage } = await import("../copy/copy.ts");
  const local = await readLocalImage(reference, scratch, { platform, signal });
  if (local === undefined) return undefined;
  return {
    ...local,
    reference: nameWithDigest(reference, local.image.digest),
    locations: [],
  };
}

function nameWithDigest({ name, digest }: ImageReference, actual: Digest): string {
  return digest === undefined ? `${name}@${actual}` : name;
}
