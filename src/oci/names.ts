import { hashText } from "./digest.ts";

/**
 * The one grammar of image names: `[host[:port]/]path[:tag][@digest]`, as the distribution project has it
 * (reference/reference.go, normalize.go). What a name without a host means is for whoever reads it to say.
 */
export interface NameParts {
  /** `host[:port]` as it is written; undefined where the name does not begin with one. */
  readonly host: string | undefined;
  /** All between host and tag. */
  readonly path: string;
  readonly tag: string | undefined;
  /** All behind the first `@`, whatever it is. */
  readonly digest: string | undefined;
}

/** A repository in its normal form. */
export interface Repository {
  /** `host[:port]` */
  readonly registry: string;
  /** Without the registry. */
  readonly repository: string;
}

/** The host that stands for "no registry", as with buildah; `localhost:PORT` is one like any other. */
export const localHost = "localhost";

/** The name of an image of ours in the engine's storage, whose tag says what it is of. */
export function localName(repository: `xbuild-${string}`, of: string): string {
  return `${localHost}/${repository}:${hashText(of)}`;
}

/** Docker Hub, the registry of names without one wherever registries are asked. */
export const hubHost = "docker.io";

/** A name's parts. Nothing is checked but where each of them begins. */
export function splitName(text: string): NameParts {
  const at = text.indexOf("@");
  const [name, digest] = at === -1 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
  const colon = name.indexOf(":", name.lastIndexOf("/") + 1);
  const [front, tag] =
    colon === -1 ? [name, undefined] : [name.slice(0, colon), name.slice(colon + 1)];
  const slash = front.indexOf("/");
  const host = front.slice(0, Math.max(slash, 0));
  if (!isRegistryHost(host)) return { host: undefined, path: front, tag, digest };
  return { host, path: front.slice(slash + 1), tag, digest };
}

/** Whether the first of several components is a registry and no part of the path. normalize.go, `splitDockerDomain` */
export function isRegistryHost(component: string): boolean {
  return /[.:A-Z]/.test(component) || component === localHost;
}

/** Whether a text is well formed as `host[:port]`. regexp.go, "DomainRegexp" */
export function isHost(text: string): boolean {
  return hostPattern.test(text);
}

const hostPattern =
  /^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?$/;

/**
 * The one form of a repository's name: Docker Hub has one name, and what users leave out there is filled in;
 * a host that is told by its capitals alone gets its port.
 */
export function normaliseRepository(host: string, path: string): Repository {
  if (host !== hubHost && host !== `index.${hubHost}`) {
    return { registry: normaliseHost(host), repository: path };
  }
  const repository = path === "" || path.includes("/") ? path : `library/${path}`;
  return { registry: hubHost, repository };
}

/**
 * `MyHost` as `MyHost:443`: skopeo and the engines know a host by its dot or colon alone, and refuse others with
 * capitals (containers/image, `splitDockerDomain`). A host that they know stays as it is.
 */
export function normaliseHost(host: string): string {
  return /[.:]/.test(host) || host === localHost ? host : `${host}:443`;
}

/** Whether a full name is one that no registry has. */
export function isLocalName(name: string): boolean {
  return splitName(name).host === localHost;
}

/** Whether a name stands for an image's ID in an engine's storage, in full or the beginning of it. */
export function mayBeImageId(name: string): boolean {
  return /^(?:sha256:)?[0-9a-f]{12,64}$/.test(name);
}
