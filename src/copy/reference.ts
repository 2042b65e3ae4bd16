import { exitStatuses, XbuildError } from "../errors.ts";
import { isDigest } from "../oci/oci.ts";
import { parseImageName } from "../oci/oci.ts";
import type { Digest } from "../oci/oci.ts";

/** An image wherever containers-transports(5) can name one. */
export interface ImageReference {
  /** With its transport, as skopeo takes it: `docker://host/repo:tag`, `oci:DIR:NAME`. */
  readonly text: string;
  /** Where it is in a registry: `host[:port]/repository`, without tag and digest. */
  readonly repository: string | undefined;
  /** The digest that a reference into a registry names. */
  readonly digest: Digest | undefined;
}

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
  if (localTransports.test(text)) return { text, repository: undefined, digest: undefined };
  const name = text.replace(/^docker:\/\//, "");
  const { front, tag, digest } = splitReference(text, name);
  const repository = completeName(front, options);
  const suffix = digest === undefined ? `:${tag ?? "latest"}` : `@${digest}`;
  // Its grammar is checked where that of all names is.
  parseImageName(digest === undefined ? `${repository}${suffix}` : repository);
  return { text: `docker://${repository}${suffix}`, repository, digest };
}

interface SplitReference {
  readonly front: string;
  readonly tag: string | undefined;
  readonly digest: Digest | undefined;
}

/** A digest counts more than a tag beside it, as skopeo's users know from `docker pull`. */
function splitReference(text: string, name: string): SplitReference {
  const [rest = "", digest, ...more] = name.split("@");
  if (more.length > 0 || (digest !== undefined && !isDigest(digest))) {
    throw new XbuildError("name-invalid", `"${text}" is no image reference: its digest is none`, {
      hint: "a digest is sha256: and 64 lower-case hex digits",
      exitStatus: exitStatuses.usage,
    });
  }
  const colon = rest.indexOf(":", rest.lastIndexOf("/") + 1);
  if (colon === -1) return { front: rest, tag: undefined, digest };
  return { front: rest.slice(0, colon), tag: rest.slice(colon + 1), digest };
}

/** With its registry, as the distribution project's grammar tells one from a part of the path. */
function completeName(front: string, { resolveShortName }: ReferenceOptions): string {
  const first = front.includes("/") ? front.slice(0, front.indexOf("/")) : "";
  const isComplete = /[.:]/.test(first) || first === "localhost";
  if (isComplete) {
    const hub = /^(?:index\.)?docker\.io\/(?<rest>.+)$/.exec(front)?.groups?.["rest"];
    if (hub === undefined) return front;
    return `docker.io/${hub.includes("/") ? hub : `library/${hub}`}`;
  }
  const found = resolveShortName?.(front);
  if (found !== undefined) return found;
  return `docker.io/${front.includes("/") ? front : `library/${front}`}`;
}
