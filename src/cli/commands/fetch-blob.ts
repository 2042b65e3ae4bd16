import { access, mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../../errors.ts";
import { type Digest, digestHex, isLocalName, parseImageName } from "../../oci/oci.ts";
import {
  beginRun,
  nameOfEntry,
  readIndex,
  readLocations,
  type Run,
  type Store,
  type VerifyOptions,
} from "../../store/store.ts";
import {
  fetchLayers,
  referToDigest,
  type RegistryReference,
  type TransportAccess,
} from "../../copy/copy.ts";

export interface BlobFetcher {
  readonly fetch: NonNullable<VerifyOptions["fetchBlob"]>;
  /** Removes what was fetched and is not used. */
  readonly end: () => Promise<void>;
}

/**
 * Brings damaged blobs from the registries that the images' names say, or that are known to have their
 * layers, by the digest of the manifest: the bytes that were pushed, or nothing.
 */
export function createBlobFetcher(store: Store, registries: TransportAccess): BlobFetcher {
  let run: Promise<Run> | undefined;
  return {
    fetch: async (digest, names) => {
      run ??= beginRun(store);
      const { staging } = await run;
      for (const source of await listSources(store, names)) {
        const directory = await mkdtemp(join(staging, "fetched-"));
        const path = await fetchOne(source, { digest, directory }, registries);
        if (path !== undefined) return path;
      }
      return undefined;
    },
    end: async () => {
      if (run !== undefined) await (await run).end();
    },
  };
}

/** What a name says first; `localhost/...` without a port is in no registry. */
async function listSources(
  store: Store,
  names: readonly string[],
): Promise<readonly RegistryReference[]> {
  const { manifests } = await readIndex(store);
  const sources = names.map(async (name): Promise<readonly RegistryReference[]> => {
    const { registry, repository } = parseImageName(name);
    const entry = manifests.findLast((one) => nameOfEntry(one) === name);
    if (entry === undefined) return [];
    const own = isLocalName(name) ? [] : [referToDigest(`${registry}/${repository}`, entry.digest)];
    const known = await readLocations(store, entry.digest);
    return [...own, ...known.map((one) => referToDigest(one.repository, one.manifest))];
  });
  const all = (await Promise.all(sources)).flat();
  return [...new Map(all.map((one) => [one.text, one])).values()];
}

interface WantedBlob {
  readonly digest: Digest;
  /** Where a layout is made. */
  readonly directory: string;
}

/** The layer, config or manifest of this digest alone; nothing else of the image is loaded. */
async function fetchOne(
  source: RegistryReference,
  { digest, directory }: WantedBlob,
  registries: TransportAccess,
): Promise<string | undefined> {
  try {
    await fetchLayers(source, { digests: new Set([digest]), directory }, { access: registries });
  } catch (error) {
    // Not there, or no access: another name may have it.
    if (error instanceof XbuildError) return undefined;
    throw error;
  }
  const wanted = join(directory, "blobs", "sha256", digestHex(digest));
  return access(wanted).then(
    () => wanted,
    () => undefined,
  );
}
