import { createReadStream } from "node:fs";
import type { Descriptor } from "../oci/oci.ts";
import type { RegistryRequest } from "./ask-identified.ts";
import type { Registry } from "./connection.ts";
import { createAnswerError, createRegistryError } from "./failures.ts";
import type { Chunks, HttpResponse } from "./http.ts";
import { blobsPath, manifestPath } from "./paths.ts";
import type { NamedLocation, Registries } from "./registries.ts";
import type { ManifestSource } from "./transfers.ts";

/** A blob on this machine. */
export interface BlobSource extends Pick<Descriptor, "digest" | "size"> {
  /** A file that nobody writes to. */
  readonly path: string;
  /** Whether the repository is known to lack it: then it is not asked. */
  readonly isAbsent?: boolean;
  /** Told how many bytes have gone since the last time; less than nothing where they go anew. */
  readonly onBytes?: (bytes: number) => void;
}

/** Sends a blob, unless the repository has it. distribution-spec v1.1, "Pushing blobs". @returns whether it was sent */
export async function pushBlob(
  registries: Registries,
  name: string,
  source: BlobSource,
): Promise<boolean> {
  const { location, registry } = await openTarget(registries, name);
  if (source.isAbsent !== true && (await isThere(registry, location, source))) return false;
  const response = await registry.repeat(() => upload(registry, location, source));
  if (response.status !== 201) throw createAnswerError(response);
  return true;
}

/** distribution-spec v1.1, "Pushing manifests" */
export async function pushManifest(
  registries: Registries,
  { name, reference }: { readonly name: string; readonly reference: string },
  { mediaType, bytes }: ManifestSource,
): Promise<void> {
  const { location, registry } = await openTarget(registries, name);
  const response = await registry.request({
    method: "PUT",
    path: manifestPath(location.repository, reference),
    ...purposeOf(location),
    headers: { "content-type": mediaType },
    body: bytes,
  });
  if (response.status !== 201 && response.status !== 200) throw createAnswerError(response);
}

interface PushTarget {
  readonly location: NamedLocation;
  readonly registry: Registry;
}

async function openTarget(registries: Registries, name: string): Promise<PushTarget> {
  const [location] = await registries.locate(name, "push");
  if (location === undefined) throw createRegistryError("blocked", `${name} is nowhere`);
  return { location, registry: await registries.open(location) };
}

function purposeOf({ repository }: NamedLocation): Pick<RegistryRequest, "repository" | "scopes"> {
  return { repository, scopes: [`repository:${repository}:pull,push`] };
}

/** What the registry does not say, the upload will. */
async function isThere(
  { request }: Registry,
  location: NamedLocation,
  { digest }: BlobSource,
): Promise<boolean> {
  const path = `${blobsPath(location.repository)}${digest}`;
  const { status } = await request({ method: "HEAD", path, ...purposeOf(location) });
  return status === 200;
}

/**
 * One upload from its beginning: an answer that it ends with before the last may be one after which it is tried again.
 * The registry is asked for each of its addresses.
 */
async function upload(
  { request, pathOf }: Registry,
  location: NamedLocation,
  { digest, size, path, onBytes }: BlobSource,
): Promise<HttpResponse> {
  const common = { ...purposeOf(location), isSingle: true } as const;
  const started = `${blobsPath(location.repository)}uploads/`;
  const headers = { "content-length": "0" };
  const begun = await request({ method: "POST", path: started, ...common, headers });
  if (begun.status !== 202) return begun;
  let gone = 0;
  const count = (bytes: number): void => {
    gone += bytes;
    onBytes?.(bytes);
  };
  const sent = await request({
    method: "PATCH",
    path: pathOf(readAddress(begun)),
    ...common,
    headers: { "content-type": "application/octet-stream", "content-length": `${size}` },
    body: () => countChunks(createReadStream(path, { highWaterMark: 256 * 1024 }), count),
  }).catch((error: unknown) => {
    count(-gone);
    throw error;
  });
  if (sent.status !== 202 && sent.status !== 201 && sent.status !== 204) {
    count(-gone);
    return assertKnown(sent);
  }
  const end = pathOf(readAddress(sent), { digest });
  return assertKnown(await request({ method: "PUT", path: end, ...common, headers }));
}

async function* countChunks(chunks: Chunks, count: (bytes: number) => void): Chunks {
  for await (const chunk of chunks) {
    count(chunk.byteLength);
    yield chunk;
  }
}

function readAddress({ headers }: HttpResponse): string {
  if (headers.location !== undefined) return headers.location;
  throw createRegistryError("server", "the registry does not say where an upload goes on");
}

/** A registry that knows nothing of an upload which it has begun has a fault, and no lack of an image. */
function assertKnown(response: HttpResponse): HttpResponse {
  if (response.status !== 404) return response;
  throw createRegistryError("server", "the registry has lost an upload (404)");
}
