import { XbuildError } from "../errors.ts";
import { isDigest } from "./digest.ts";
import type { Digest } from "./model.ts";
import { isHost, localHost, normaliseRepository, splitName } from "./names.ts";

/** An image's name in the parts that the distribution project's grammar gives it. */
export interface ImageName {
  /** Registry, repository, and tag or digest: what an index or a push takes. */
  readonly full: string;
  /** Host with its port. `localhost` stands for "no registry", as with buildah. */
  readonly registry: string;
  /** Without the registry. */
  readonly repository: string;
  /** undefined where a digest is given. */
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

export interface NameOptions {
  /** Whether the name may point to one image by `@sha256:...`; a name given to an image may not. */
  readonly allowDigest?: boolean;
}

/** Components with slashes between them. */
const repositoryPattern =
  /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const tagPattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const longestRepository = 255;

/**
 * The full form of an image's name, as buildah 1.28 makes it for `-t` (tried): `app` and `user/app` are
 * `localhost/...:latest`, `docker.io/app` is `docker.io/library/app:latest`; `MyHost/app`, which buildah refuses,
 * is `MyHost:443/app:latest`.
 * Errors: `name-invalid`.
 */
export function parseImageName(text: string, options: NameOptions = {}): ImageName {
  assertNoTransport(text);
  const { host = localHost, path, tag, ...parts } = splitName(text);
  const digest = parts.digest === undefined ? undefined : parseDigest(text, parts.digest, options);
  if (digest !== undefined && tag !== undefined) {
    throw createError(text, "it has both a tag and a digest", "leave one of them out");
  }
  const { registry, repository } = normaliseRepository(host, path);
  assertParts(text, { host, registry, repository, tag });
  const suffix = digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`;
  return {
    full: `${registry}/${repository}${suffix}`,
    registry,
    repository,
    tag: digest === undefined ? (tag ?? "latest") : undefined,
    digest,
  };
}

/** Whether a text is an image's name in its full form, as `parseImageName` makes it. */
export function isFullName(text: string): boolean {
  try {
    return parseImageName(text).full === text;
  } catch (error) {
    if (error instanceof XbuildError) return false;
    throw error;
  }
}

function assertNoTransport(text: string): void {
  if (text === "") throw createError(text, "it is empty", "give a name such as app:latest");
  const transport = /^(?:[a-z-]+:\/\/|(?:containers-storage|oci|oci-archive|docker-archive|dir):)/;
  const prefix = transport.exec(text)?.[0];
  if (prefix === undefined) return;
  const hint = "leave the transport out; -o writes to other places than the store";
  throw createError(text, `it begins with a transport (${prefix})`, hint);
}

const digestHint = "a digest is sha256: and 64 lower-case hex digits";

function parseDigest(text: string, digest: string, { allowDigest }: NameOptions): Digest {
  if (allowDigest !== true) {
    const hint = "name it by a tag: an image's digest is known when it is built";
    throw createError(text, "an image cannot be given a digest as its name", hint);
  }
  if (isDigest(digest)) return digest;
  const reason = digest.includes("@")
    ? "it has more than one @"
    : "the part after @ is not a digest";
  throw createError(text, reason, digestHint);
}

function assertParts(
  text: string,
  parts: Pick<ImageName, "registry" | "repository" | "tag"> & { readonly host: string },
): void {
  const { host, registry, repository, tag } = parts;
  if (!isHost(host)) {
    throw createError(text, `${host} is no registry`, "write host or host:port before the /");
  }
  if (!repositoryPattern.test(repository) || isImageId(repository)) {
    throw createRepositoryError(text, repository);
  }
  if (`${registry}/${repository}`.length > longestRepository) {
    throw createError(text, "it is longer than 255 characters", "choose a shorter name");
  }
  if (tag === undefined || tagPattern.test(tag)) return;
  const hint = "a tag has letters, digits, _, . and -, begins with none of the last two, up to 128";
  throw createError(text, `${JSON.stringify(tag)} is no tag`, hint);
}

function createRepositoryError(text: string, repository: string): XbuildError {
  if (isImageId(repository)) {
    return createError(text, "64 hex digits stand for an image ID", "choose another name");
  }
  const lower = repository.toLowerCase();
  if (lower !== repository && repositoryPattern.test(lower)) {
    return createError(text, "it has upper-case letters", `write it in lower case: ${lower}`);
  }
  const hint =
    "use lower-case letters and digits, with one of . _ __ or - between them, and / between parts";
  return createError(
    text,
    "it has characters that a name cannot have, or in the wrong place",
    hint,
  );
}

function isImageId(repository: string): boolean {
  return /^[0-9a-f]{64}$/.test(repository);
}

function createError(text: string, reason: string, hint: string): XbuildError {
  return new XbuildError("name-invalid", `${JSON.stringify(text)} is no image name: ${reason}`, {
    hint,
    exitStatus: 125,
  });
}
