import { type Annotations, type Descriptor, type Digest, isJsonObject } from "../../oci/oci.ts";
import type { Store } from "../layout/paths.ts";
import { readDocument } from "./read-document.ts";

/** What is read of an index among the blobs. */
export interface NestedIndex {
  readonly manifests: readonly Descriptor[];
  readonly annotations?: Annotations;
}

/** What a digest stands for: an image's manifest, or an index and its entries. */
export interface Root {
  readonly isIndex: boolean;
  /** The manifest itself, or what the index names: images, and what is said of them (`isAttestation`). */
  readonly manifests: readonly Pick<Descriptor, "digest" | "annotations">[];
}

/**
 * Looks at the document itself, whatever an entry says of its type; undefined where it is not here. Errors:
 * `store-damaged`, unless the store has `onDamage`.
 */
export async function readRoot(store: Store, digest: Digest): Promise<Root | undefined> {
  const document = await readDocument(store, digest, isJsonObject);
  if (document === undefined) return undefined;
  const { value } = document;
  if (!isNestedIndex(value)) return { isIndex: false, manifests: [{ digest }] };
  return { isIndex: true, manifests: value.manifests };
}

/** A glance at its form. */
export function isNestedIndex(value: unknown): value is NestedIndex {
  return isJsonObject(value) && Array.isArray(value["manifests"]);
}
