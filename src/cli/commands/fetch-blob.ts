import { access, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import {
  fetchLayers,
  referToDigest,
  type RegistryReference,
  type TransportAccess,
} from "../../copy/copy.ts";
import { XbuildError } from "../../errors.ts";
import { digestHex, isLocalName, parseImageName, type Digest } from "../../oci/oci.ts";
import type { DamagedBlob } from "../../store/store.ts";

/**
 * Brings a damaged blob from the registries that the images' names say, or that are known to have their
 * layers, by the digest of the manifest: the bytes that were pushed, or nothing.
 * @returns the file, in a directory of its own
 */
export async function fetchBlob(
  { digest, images, directory }: DamagedBlob,
  registries: TransportAccess,
): Promise<string | undefined> {
  for (const source of listSources(images)) {
    const layout = await mkdtemp(join(directory, "fetched-"));
    const found = await fetchFrom(source, { digest, layout }, registries);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** What a name says first; `localhost/...` without a port is in no registry. */
function listSources(images: DamagedBlob["images"]): Iterable<RegistryReference> {
  const sources = images.flatMap(({ name, digest, locations }) => {
    const { registry, repository } = parseImageName(name);
    const own = isLocalName(name) ? [] : [referToDigest(`${registry}/${repository}`, digest)];
    return [...own, ...locations.map((one) => referToDigest(one.repository, one.manifest))];
  });
  return new Map(sources.map((one) => [one.text, one])).values();
}

interface WantedFile {
  readonly digest: Digest;
  /** Where the layout is made that the blob comes in. */
  readonly layout: string;
}

/** The layer, config or manifest of this digest alone; nothing else of the image is loaded. */
async function fetchFrom(
  source: RegistryReference,
  { digest, layout }: WantedFile,
  registries: TransportAccess,
): Promise<string | undefined> {
  try {
    const selection = { digests: new Set([digest]), directory: layout };
    await fetchLayers(source, selection, { access: registries });
  } catch (error) {
    // Not there, or no access: another name may have it.
    if (error instanceof XbuildError) return undefined;
    throw error;
  }
  const wanted = join(layout, "blobs", "sha256", digestHex(digest));
  return access(wanted).then(
    () => wanted,
    () => undefined,
  );
}
