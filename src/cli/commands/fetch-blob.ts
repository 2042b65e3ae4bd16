import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  fetchLayers,
  referToDigest,
  type RegistryReference,
  type TransportAccess,
} from "../../copy/copy.ts";
import { XbuildError } from "../../errors.ts";
import { digestHex, isLocalName, parseImageName, type Digest } from "../../oci/oci.ts";
import { withTransfers } from "../../registry/registry.ts";
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
    const fetched = await mkdtemp(join(directory, "fetched-"));
    const found = await fetchFrom(source, { digest, directory: fetched }, registries);
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

/** The layer, config or manifest of this digest alone; nothing else of the image is loaded. */
async function fetchFrom(
  source: RegistryReference,
  { digest, directory }: { readonly digest: Digest; readonly directory: string },
  access: TransportAccess,
): Promise<string | undefined> {
  try {
    return await withTransfers(access, undefined, async (transfers) => {
      const selection = { layers: [{ digest }], directory };
      const files = await fetchLayers(source, selection, { access, transfers });
      const manifest = files.has(digest)
        ? undefined
        : await transfers.readManifest(source.repository, digest);
      if (manifest === undefined) return files.get(digest);
      const path = join(directory, digestHex(digest));
      await writeFile(path, manifest);
      return path;
    });
  } catch (error) {
    // Not there, or no access: another name may have it.
    if (error instanceof XbuildError) return undefined;
    throw error;
  }
}
