import pLimit from "p-limit";
import type { Digest } from "../oci/oci.ts";
import { manifestTypes } from "./read-documents.ts";
import type { NamedLocation, Registries } from "./registries.ts";
import type { RegistryRequest } from "./ask-identified.ts";
import type { Registry } from "./connection.ts";
import { blobsPath, manifestPath } from "./paths.ts";

export interface BlobMount {
  /** The repository that is to have the blob, `host[:port]/ns/repo`. */
  readonly to: string;
  /** One of the same registry that has it. */
  readonly from: string;
  readonly digest: Digest;
  /** The protocol does not need it: a descriptor may be passed as it is. */
  readonly size?: number;
}

/**
 * What skopeo does not do for us. All of it is best effort, so nothing is an error: `unknown` and undefined
 * stand for no answer, for whatever reason. Only where the caller's signal stops it does it reject, with
 * the signal's reason. Any number of questions may be asked at once.
 */
export interface RegistryClient {
  /** distribution-spec v1.1, "Mounting a blob from another repository". `declined`: push the blob. */
  readonly mountBlob: (mount: BlobMount) => Promise<"mounted" | "declined" | "unknown">;
  /**
   * Whether a repository (`host[:port]/ns/repo`) has a blob; distribution-spec v1.1, "Checking if content
   * exists". What registries.conf says of mirrors and of the `location` of images counts for a pull, not for a
   * push. Somewhere there: true; nowhere, as each of them says: false.
   */
  readonly hasBlob: (
    repository: string,
    digest: Digest,
    use?: "pull" | "push",
  ) => Promise<boolean | undefined>;
  /**
   * Whether a repository has the manifest of this digest, as the place says where it is pushed to;
   * distribution-spec v1.1, "Checking if content exists".
   */
  readonly hasManifest: (repository: string, digest: Digest) => Promise<boolean | undefined>;
}

const maxParallel = 8;

/** How the questions of a client end. */
interface Ends {
  /** Those that are still open are answered with `unknown` or undefined. */
  readonly closing: AbortSignal;
  /** They reject. */
  readonly signal: AbortSignal;
}

/** A client over the connections of others. */
export function createClient(
  registries: Registries,
  { closing, signal }: Ends,
  parallel = maxParallel,
): RegistryClient {
  const limit = pLimit(parallel);
  const attempt = <T>(action: () => Promise<T>): Promise<T | undefined> =>
    limit(async () => {
      signal.throwIfAborted();
      try {
        const answer = closing.aborted ? undefined : await action();
        signal.throwIfAborted();
        return answer;
      } catch {
        signal.throwIfAborted();
        return undefined;
      }
    });
  return {
    mountBlob: async (mount) => (await attempt(() => mountBlob(registries, mount))) ?? "unknown",
    hasBlob: (name, digest, use = "push") =>
      attempt(() => hasBlob(registries, { name, digest, use })),
    hasManifest: (name, digest) => attempt(() => hasManifest(registries, name, digest)),
  };
}

async function mountBlob(
  registries: Registries,
  { to, from, digest }: BlobMount,
): Promise<"mounted" | "declined" | "unknown"> {
  const [target] = await registries.locate(to, "push");
  const [source] = await registries.locate(from, "pull");
  if (target === undefined || source?.registry !== target.registry) return "unknown";
  const { repository } = target;
  const { request, pathOf } = await registries.open(target);
  const query = new URLSearchParams({ mount: digest, from: source.repository });
  const response = await request({
    method: "POST",
    path: `${blobsPath(repository)}uploads/?${query.toString()}`,
    repository,
    scopes: [`repository:${repository}:pull,push`, `repository:${source.repository}:pull`],
  });
  if (response.status === 201) return "mounted";
  if (response.status !== 202) return "unknown";
  const path = pathOf(response.headers.location ?? "");
  if (path.startsWith("/")) await cancelUpload(request, path, repository);
  return "declined";
}

/**
 * The registry has begun an upload in place of the mount, which nobody will end. distribution-spec v1.1
 * leaves the scope open; distribution wants `delete`.
 */
async function cancelUpload(
  request: Registry["request"],
  path: string,
  repository: string,
): Promise<void> {
  const scopes = [`repository:${repository}:delete,pull,push`];
  await request({ method: "DELETE", path, repository, scopes }).catch(() => {});
}

interface BlobQuestion {
  /** `host[:port]/ns/repo` */
  readonly name: string;
  readonly digest: Digest;
  readonly use: "pull" | "push";
}

async function hasBlob(
  registries: Registries,
  { name, digest, use }: BlobQuestion,
): Promise<boolean | undefined> {
  const locations = await registries.locate(name, use === "pull" ? "mirrored" : "push");
  let answer: boolean | undefined = false;
  for (const location of locations) {
    const isThere = await askForBlob(registries, location, digest).catch(() => undefined);
    if (isThere === true) return true;
    if (isThere === undefined) answer = undefined;
  }
  return answer;
}

async function hasManifest(
  registries: Registries,
  name: string,
  digest: Digest,
): Promise<boolean | undefined> {
  const [location] = await registries.locate(name, "push");
  if (location === undefined) return undefined;
  const { repository } = location;
  const { request } = await registries.open(location);
  const { status } = await request({
    method: "HEAD",
    path: manifestPath(repository, digest),
    repository,
    scopes: [`repository:${repository}:pull`],
    headers: { accept: manifestTypes },
  });
  if (status === 200) return true;
  return status === 404 ? false : undefined;
}

async function askForBlob(
  registries: Registries,
  location: NamedLocation,
  digest: Digest,
): Promise<boolean | undefined> {
  const { repository } = location;
  const { request } = await registries.open(location);
  const asked = { path: `${blobsPath(repository)}${digest}`, repository };
  const wanted = { ...asked, scopes: [`repository:${repository}:pull`] };
  const { status } = await request({ method: "HEAD", ...wanted });
  if (status === 200) return true;
  if (status === 405) return askForBytes(request, wanted);
  return status === 404 ? false : undefined;
}

/** For a registry, or something before it, that knows no HEAD: one byte is asked for, and no more is taken than that. */
async function askForBytes(
  request: Registry["request"],
  wanted: Pick<RegistryRequest, "path" | "repository" | "scopes">,
): Promise<boolean | undefined> {
  const range = { headers: { range: "bytes=0-0" }, maxBody: 0 };
  const { status } = await request({ method: "GET", ...wanted, ...range });
  // 416: it is empty.
  if (status === 200 || status === 206 || status === 416) return true;
  return status === 404 ? false : undefined;
}
