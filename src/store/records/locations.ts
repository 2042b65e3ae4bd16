import { isDigest } from "../../oci/oci.ts";
import type { Digest, Json, Location } from "../../oci/oci.ts";
import { readOwnDocument, writeOwnDocument } from "../layout/documents.ts";
import { explainFailures } from "../layout/failures.ts";
import { ensureLayout } from "../layout/layout.ts";
import type { Store } from "../layout/paths.ts";

/** Where an image of the store has layers in registries, the newest first; none where nothing is known. */
export async function readLocations(store: Store, image: Digest): Promise<readonly Location[]> {
  const value = await explainFailures(store.directory, () =>
    readOwnDocument(store, "locations", image),
  );
  const list = value?.["locations"];
  return Array.isArray(list) ? list.flatMap(parseLocation) : [];
}

/**
 * Keeps what is known of an image's layers; what was known before is replaced. Durable: see `documents.ts`.
 */
export async function writeLocations(
  store: Store,
  image: Digest,
  locations: readonly Location[],
): Promise<void> {
  const document = { key: image, locations };
  await explainFailures(store.directory, async () => {
    await ensureLayout(store);
    await writeOwnDocument(store, "locations", document);
  });
}

function parseLocation(value: Json): readonly Location[] {
  if (typeof value !== "object" || value === null || !("repository" in value)) return [];
  const { repository, manifest, layers, checked } = value;
  if (typeof repository !== "string" || !isDigest(manifest) || !Array.isArray(layers)) return [];
  const known = typeof checked === "number" ? { checked } : {};
  return [{ repository, manifest, layers: layers.filter((layer) => isDigest(layer)), ...known }];
}
