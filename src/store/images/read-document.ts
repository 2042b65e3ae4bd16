import { readFile } from "node:fs/promises";
import { XbuildError } from "../../errors.ts";
import { digestBytes, type Digest } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { blobPath, type Store } from "../layout/paths.ts";

export interface Document<T> {
  readonly bytes: Uint8Array;
  readonly value: T;
}

/**
 * A manifest, index or config, its bytes checked against their digest; undefined where it is not here. Who wrote them
 * checked what they say, so a glance at their form is enough to keep a document of another kind out.
 * Errors: `store-damaged`, unless the store has `onDamage`
 */
export async function readDocument<T>(
  store: Store,
  digest: Digest,
  isOfKind: (value: unknown) => value is T,
): Promise<Document<T> | undefined> {
  const bytes = await ifPresent(readFile(blobPath(store, digest)));
  if (bytes === undefined) return undefined;
  if (digestBytes(bytes) !== digest)
    return reportDamage(store, digest, "does not match its digest");
  const value: unknown = JSON.parse(bytes.toString("utf8"));
  if (isOfKind(value)) return { bytes: new Uint8Array(bytes), value };
  return reportDamage(store, digest, "is not of the kind it should be");
}

function reportDamage(store: Store, digest: Digest, what: string): undefined {
  const error = new XbuildError("store-damaged", `${blobPath(store, digest)} ${what}`, {
    hint: "run xbuild cache verify --repair: it repairs what can be repaired",
  });
  if (store.onDamage === undefined) throw error;
  store.onDamage(error);
  return undefined;
}
