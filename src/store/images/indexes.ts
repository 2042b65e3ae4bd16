import { type Digest, type ImageIndex, isAttestation, isJsonObject } from "../../oci/oci.ts";
import { explainFailures } from "../layout/failures.ts";
import { findNamedEntry, readIndex } from "../layout/index-file.ts";
import type { Store } from "../layout/paths.ts";
import { readImage } from "./images.ts";
import { isNestedIndex } from "./manifests.ts";
import { readDocument } from "./read-document.ts";

/**
 * The index that a full name stands for, its images alone; undefined for a name of one image, or of none, and where an
 * image of it is not here. Errors: as `findImage`.
 */
export async function findIndex(store: Store, name: string): Promise<ImageIndex | undefined> {
  return explainFailures(store.directory, async () => {
    const { manifests } = await readIndex(store);
    const entry = findNamedEntry(manifests, name);
    return entry && readWholeIndex(store, entry.digest);
  });
}

async function readWholeIndex(store: Store, digest: Digest): Promise<ImageIndex | undefined> {
  const document = await readDocument(store, digest, isJsonObject);
  if (document === undefined) return undefined;
  const { bytes, value } = document;
  if (!isNestedIndex(value)) return undefined;
  const manifests = value.manifests.filter((one) => !isAttestation(one));
  const read = await Promise.all(manifests.map((one) => readImage(store, one.digest)));
  const images = read.filter((image) => image !== undefined);
  if (images.length < read.length) return undefined;
  return { digest, bytes, manifests, images, annotations: value.annotations ?? {} };
}
