import { join } from "node:path";
import { type Digest, digestHex } from "../../oci/oci.ts";
import { placeAtomically } from "../layout/files.ts";
import { explainFailures } from "../layout/failures.ts";
import { ensureLayout } from "../layout/layout.ts";
import { cacheDirectory, type Store } from "../layout/paths.ts";

/** What each file of a build context was; to say later which one changed. */
export interface ContextTree {
  readonly digest: Digest;
  /** Writes it into a new file. */
  readonly write: (path: string) => void;
}

/** Keeps what a context was, by the context's digest. Idempotent. */
export async function putTree(store: Store, { digest, write }: ContextTree): Promise<void> {
  await explainFailures(store.directory, async () => {
    await ensureLayout(store);
    await placeAtomically(store, treePath(store, digest), write);
  });
}

/** Where what a context of this digest was is kept, as long as it is. */
export function treePath(store: Store, digest: Digest): string {
  return join(cacheDirectory(store), `tree-${digestHex(digest)}`);
}
