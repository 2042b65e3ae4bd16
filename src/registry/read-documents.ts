import { maxDocumentSize, type Digest } from "../oci/oci.ts";
import { createAnswerError } from "./failures.ts";
import type { HttpContent } from "./http.ts";
import { blobsPath, manifestPath } from "./paths.ts";
import type { NamedLocation, Registries } from "./registries.ts";

/** All that a name may stand for, so that a registry converts nothing. */
export const manifestTypes = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v1+prettyjws",
  "application/vnd.docker.distribution.manifest.v1+json",
].join(", ");

/** distribution-spec v1.1, "Pulling manifests". @param reference a tag or a digest */
export async function readManifest(
  registries: Registries,
  name: string,
  reference: string,
): Promise<Buffer | undefined> {
  const use = reference.includes(":") ? "mirrored" : "mirrored-tag";
  const headers = { accept: manifestTypes };
  return askInTurn(await registries.locate(name, use), (location) => {
    const path = manifestPath(location.repository, reference);
    return readAt(registries, location, { path, headers });
  });
}

/** distribution-spec v1.1, "Pulling blobs" */
export async function readBlob(
  registries: Registries,
  name: string,
  digest: Digest,
): Promise<Buffer | undefined> {
  return askInTurn(await registries.locate(name, "mirrored"), (location) =>
    readAt(registries, location, { path: `${blobsPath(location.repository)}${digest}` }),
  );
}

/** The first that has it counts; what the registry itself says comes last, and decides where none has. */
export async function askInTurn<T>(
  locations: readonly NamedLocation[],
  ask: (location: NamedLocation) => Promise<T | undefined>,
): Promise<T | undefined> {
  for (const [index, location] of locations.entries()) {
    const isLast = index === locations.length - 1;
    const answer = await ask(location).catch((error: unknown): undefined => {
      if (isLast) throw error;
    });
    if (answer !== undefined || isLast) return answer;
  }
  return undefined;
}

async function readAt(
  registries: Registries,
  location: NamedLocation,
  wanted: HttpContent & { readonly path: string },
): Promise<Buffer | undefined> {
  const { repository } = location;
  const { request } = await registries.open(location);
  const response = await request({
    method: "GET",
    ...wanted,
    repository,
    scopes: [`repository:${repository}:pull`],
    // One byte more than a document may have shows that it has.
    maxBody: maxDocumentSize + 1,
  });
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw createAnswerError(response);
  return response.body;
}
