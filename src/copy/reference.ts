import { exitStatuses, XbuildError } from "../errors.ts";
import {
  type Digest,
  hubHost,
  isDigest,
  type NameParts,
  normaliseRepository,
  parseImageName,
  type Repository,
  splitName,
} from "../oci/oci.ts";

/** An image wherever containers-transports(5) can name one. */
export type ImageReference = RegistryReference | LocalReference;

/** An image in a registry. */
export interface RegistryReference {
  /** As skopeo takes it: `docker://host/repository:tag`, `docker://host/repository@digest`. */
  readonly text: string;
  /** As people know it: the same without the transport. */
  readonly name: string;
  /** `host[:port]/repository` */
  readonly repository: string;
  /** What it names in there: a tag, or the digest. */
  readonly reference: string;
  /** undefined where it names a tag. */
  readonly digest: Digest | undefined;
}

/** An image on this machine: in a layout, an archive, an engine's storage. */
export interface LocalReference {
  /** With its transport, as skopeo takes it: `oci:DIR:NAME`. */
  readonly text: string;
  readonly name: string;
  readonly repository: undefined;
  readonly digest: undefined;
}

/** The transport of registries. */
const registryTransport = "docker://";
const localTransports =
  /^(?:oci|oci-archive|docker-archive|containers-storage|docker-daemon|dir|ostree|sif|tarball):/;

export interface ReferenceOptions {
  /** A short name in full (`docker.io/library/debian` for `debian`), or undefined where there is none. */
  readonly resolveShortName?: (name: string) => string | undefined;
}

/**
 * Reads a reference as users write it: `docker://` may be left out. A name without a registry is looked up
 * as containers-registries.conf(5) says; else it is Docker Hub's. Errors: `name-invalid`.
 */
export function parseReference(text: string, options: ReferenceOptions = {}): ImageReference {
  return isLocal(text) ? createLocalReference(text) : parseRegistryReference(text, options);
}

/** Reads a reference into a registry, as `parseReference` does. Errors: `name-invalid`. */
export function parseRegistryReference(
  text: string,
  options: ReferenceOptions = {},
): RegistryReference {
  const parts = splitName(dropTransport(text));
  // A digest counts more than a tag beside it, as users know from `docker pull`.
  const { tag = "latest", digest } = parts;
  if (digest !== undefined && !isDigest(digest)) throw createDigestError(text);
  const { registry, repository } = completeName(parts, options);
  const name = `${registry}/${repository}`;
  // Its grammar is checked where that of all names is.
  parseImageName(digest === undefined ? `${name}:${tag}` : name);
  return createReference(name, digest === undefined ? { tag } : { digest });
}

/** The parts of what a text names in a registry; undefined where it names a place on this machine. */
export function splitReference(text: string): NameParts | undefined {
  return isLocal(text) ? undefined : splitName(dropTransport(text));
}

/** The image of a digest in a repository (`host[:port]/repository`). */
export function referToDigest(repository: string, digest: Digest): RegistryReference {
  return createReference(repository, { digest });
}

/** An image on this machine. @param text with its transport */
export function createLocalReference(text: string): LocalReference {
  return { text, name: text, repository: undefined, digest: undefined };
}

/** Whether a text says that it means a registry. */
export function isRegistry(text: string): boolean {
  return text.startsWith(registryTransport);
}

/** The registry of a reference's text: `host[:port]`. A name without one is Docker Hub's. */
export function registryOf(text: string): string {
  return splitName(dropTransport(text)).host ?? hubHost;
}

function isLocal(text: string): boolean {
  return localTransports.test(text);
}

function dropTransport(text: string): string {
  return isRegistry(text) ? text.slice(registryTransport.length) : text;
}

function createDigestError(text: string): XbuildError {
  const message = `"${text}" is no image reference: the part after @ is not a digest`;
  return new XbuildError("name-invalid", message, {
    hint: "a digest is sha256: and 64 lower-case hex digits",
    exitStatus: exitStatuses.usage,
  });
}

function completeName({ host, path }: NameParts, options: ReferenceOptions): Repository {
  if (host !== undefined) return normaliseRepository(host, path);
  const full = splitName(options.resolveShortName?.(path) ?? path);
  return normaliseRepository(full.host ?? hubHost, full.path);
}

type Version = { readonly tag: string } | { readonly digest: Digest };

function createReference(repository: string, version: Version): RegistryReference {
  const isFixed = "digest" in version;
  const name = `${repository}${isFixed ? `@${version.digest}` : `:${version.tag}`}`;
  const digest = isFixed ? version.digest : undefined;
  const reference = isFixed ? version.digest : version.tag;
  return { text: `${registryTransport}${name}`, name, repository, reference, digest };
}
