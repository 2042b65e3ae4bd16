import { join } from "node:path";
import { restateError, XbuildError } from "../errors.ts";
import type { Digest, Image } from "../oci/oci.ts";
import { locateImage, type Location } from "../store/store.ts";
import type { LayerFiles } from "../copy/copy.ts";
import type { ImageReference } from "../copy/copy.ts";
import type { BuildPorts, BuildRequest } from "./request.ts";
import type { BuildRun } from "./cleanup.ts";

/** A previous image from outside the store. */
export interface RemoteImage {
  /** As the user would name it, with its digest. */
  readonly name: string;
  readonly image: Image;
  /** Where its layers are in a registry. */
  readonly locations: readonly Location[];
  /** Its layers' bytes, where they came with it. */
  readonly files: LayerFiles;
  /** Named by --cache-from; else it is the tag that is built, in its registry. */
  readonly isNamed: boolean;
  /** What stands where the image will be pushed to. */
  readonly isDestination: boolean;
}

/**
 * The previous images that are not in the store: what --cache-from names, in the order given, then the
 * names that the image will be pushed to. Of those in a registry only manifest and config are read.
 * Errors: whatever keeps one from being read, naming the reference, unless --ignore-cache-errors.
 */
export async function readRemotes(
  request: BuildRequest,
  ports: BuildPorts,
  run: BuildRun,
): Promise<readonly RemoteImage[]> {
  const named = new Set(request.cacheFrom.map((one) => one.text));
  const pushed = request.pushes.filter((one) => !named.has(one.text));
  const references = [...request.cacheFrom, ...pushed];
  if (references.length === 0) return [];
  const done = ports.reporter.step("Previous images");
  const found = await Promise.all(
    references.map((reference, index) =>
      tolerate(request, ports, () =>
        readRemote(reference, request, ports, join(run.directory, `previous-${index}`)),
      ),
    ),
  );
  const destinations = new Set(request.pushes.map((one) => one.text));
  const remotes = found.flatMap((one, index) => {
    const isDestination = destinations.has(references[index]?.text ?? "");
    return one === undefined
      ? []
      : [{ ...one, isNamed: index < request.cacheFrom.length, isDestination }];
  });
  done(describeFound(remotes.length, references.length));
  return remotes;
}

function describeFound(found: number, asked: number): string {
  if (asked === 1) return found === 1 ? "found" : "none yet";
  return `${found} of ${asked} found`;
}

type FoundRemote = Omit<RemoteImage, "isNamed" | "isDestination">;

async function tolerate(
  request: BuildRequest,
  ports: BuildPorts,
  action: () => Promise<FoundRemote | undefined>,
): Promise<FoundRemote | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof XbuildError) || ports.signal.aborted) throw error;
    if (!request.ignoreCacheErrors) throw explainCacheError(error);
    const { code, message } = error;
    ports.reporter.warn({
      code,
      severity: "warning",
      message: `${message}; continuing without it`,
    });
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
  request: BuildRequest,
  { signal }: BuildPorts,
  directory: string,
): Promise<FoundRemote | undefined> {
  const { access, registryPlatform: platform } = request;
  const { repository } = reference;
  if (repository !== undefined) {
    const { readRemoteImage } = await import("../copy/copy.ts");
    const image = await readRemoteImage(reference, {
      access,
      platform,
      signal,
      scratch: directory,
    });
    if (image === undefined) return undefined;
    const name = nameWithDigest(reference, image.digest);
    return { name, image, locations: [locateImage(image, repository)], files: new Map() };
  }
  const { readLocalImage } = await import("../copy/copy.ts");
  const found = await readLocalImage(reference, directory, { platform, signal });
  return found && { name: nameWithDigest(reference, found.image.digest), ...found, locations: [] };
}

function nameWithDigest({ text, digest }: ImageReference, found: Digest): string {
  const name = text.replace(/^docker:\/\//, "");
  return digest === undefined ? `${name}@${found}` : name;
}
