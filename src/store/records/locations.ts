import { isDigest } from "../../oci/oci.ts";
import type { Digest, Image, Json } from "../../oci/oci.ts";
import { readOwnDocument, writeOwnDocument } from "../layout/documents.ts";
import { explainFailures } from "../layout/failures.ts";
import { ensureLayout } from "../layout/layout.ts";
import type { Store } from "../layout/paths.ts";

/** Where layers are in a registry. */
export interface Location {
  /** `host[:port]/repository`. */
  readonly repository: string;
  /** A manifest there that lists them. */
  readonly manifest: Digest;
  readonly layers: readonly Digest[];
}

/** Where an image of the store has layers in registries, the newest first; none where nothing is known. */
export async function readLocations(store: Store, image: Digest): Promise<readonly Location[]> {
  const value = await explainFailures(store.directory, () =>
    readOwnDocument(store, "locations", image),
  );
  const list = value?.["locations"];
  return Array.isArray(list) ? list.flatMap(parseLocation) : [];
}

/**
 * Keeps what is known of an image's layers; what was known before is replaced. Durable: without it nobody would know
 * where the layers are that a name's image has elsewhere.
 */
export async function writeLocations(
  store: Store,
  image: Digest,
  locations: readonly Location[],
): Promise<void> {
  const document = { key: image, locations };
  await explainFailures(store.directory, async () => {
    await ensureLayout(store);
    await writeOwnDocument(store, "locations", document, true);
  });
}

/**
 * What is known of an image's layers, one location a repository and manifest, each layer named once in a
 * repository: by the first location that has it.
 */
export function narrowLocations(locations: readonly Location[], image: Image): readonly Location[] {
  const wanted = new Set(image.manifest.layers.map((layer) => layer.digest));
  const seen = new Set<string>();
  return locations.flatMap(({ repository, manifest, layers }): readonly Location[] => {
    const own = layers.filter((digest) => {
      const isNew = wanted.has(digest) && !seen.has(`${repository} ${digest}`);
      if (isNew) seen.add(`${repository} ${digest}`);
      return isNew;
    });
    return own.length === 0 ? [] : [{ repository, manifest, layers: own }];
  });
}

/** That all layers of an image are in a repository under its own manifest. */
export function locateImage(image: Image, repository: string): Location {
  const layers = [...new Set(image.manifest.layers.map((layer) => layer.digest))];
  return { repository, manifest: image.digest, layers };
}

function parseLocation(value: Json): readonly Location[] {
  if (typeof value !== "object" || value === null || !("repository" in value)) return [];
  const { repository, manifest, layers } = value;
  if (typeof repository !== "string" || !isDigest(manifest) || !Array.isArray(layers)) return [];
  return [{ repository, manifest, layers: layers.filter((layer) => isDigest(layer)) }];
}
