import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type Descriptor, type Digest, digestHex, type LayerFiles } from "../oci/oci.ts";
import { createRegistryError, type RegistryTransfers } from "../registry/registry.ts";
import { blameDisk } from "./failures.ts";
import { assertAccepted, type JudgeOptions } from "./judge.ts";
import { assertDocument } from "./manifests.ts";
import { acceptsAnything } from "./policy.ts";
import type { RegistryReference } from "./reference.ts";

/** A layer, or a config: of the latter nobody may know the size. */
export type WantedLayer = Pick<Descriptor, "digest"> & Partial<Pick<Descriptor, "size">>;

/** Which blobs are wanted, and where to. */
export interface LayerSelection {
  readonly layers: readonly WantedLayer[];
  /** Made where it is not there; each blob comes under the hex digits of its digest. */
  readonly directory: string;
}

interface FetchOptions extends JudgeOptions {
  /** Told how many bytes have come in all. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Brings these layers of an image in a registry, their digests checked, from its repository alone: the addresses that a
 * manifest may name for a layer (`urls`) are never asked, for they reach farther than the reference that the user gave.
 * The image is one that the policy in force accepts.
 * @param source names a digest, and no manifest list
 * @returns those that the repository has. Errors: `registry-*`, `policy-rejected`, `store-full`.
 */
export async function fetchLayers(
  source: RegistryReference,
  { layers, directory }: LayerSelection,
  { transfers, ...options }: FetchOptions & { readonly transfers: RegistryTransfers },
): Promise<LayerFiles> {
  await assertSource(source, { transfers, ...options });
  await mkdir(directory, { recursive: true });
  let sum = 0;
  const onBytes = (bytes: number): void => options.onBytes?.((sum += bytes));
  const fetch = async ({ digest, size }: WantedLayer): Promise<readonly [Digest, string][]> => {
    const path = join(directory, digestHex(digest));
    const isThere = await transfers.fetchBlob(source.repository, { digest, size, path, onBytes });
    return isThere ? [[digest, path]] : [];
  };
  try {
    return new Map((await Promise.all(layers.map(fetch))).flat());
  } catch (error) {
    throw await blameDisk(error, directory);
  }
}

async function assertSource(
  source: RegistryReference,
  { transfers, ...options }: JudgeOptions & { readonly transfers: RegistryTransfers },
): Promise<void> {
  if (await acceptsAnything(options.access.env)) return;
  const bytes = await transfers.readManifest(source.repository, source.reference);
  if (bytes === undefined) {
    throw createRegistryError("missing", `${source.text} is no longer there to be judged`);
  }
  assertDocument(bytes, source.digest);
  await assertAccepted(source, bytes, options);
}
