import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { digestBytes, digestHex } from "../../oci/oci.ts";
import type { Digest } from "../../oci/oci.ts";
import { explainFailures } from "../layout/failures.ts";
import { ifPresent } from "../../system/errno.ts";
import { writeAtomically } from "../layout/files.ts";
import { ensureLayout } from "../layout/layout.ts";
import { cacheDirectory, type Store } from "../layout/paths.ts";

/** What each file of a build context was, by its path; to say later which one changed. */
export type Tree = ReadonlyMap<string, string>;

/** A build context. */
export interface ContextTree {
  readonly digest: Digest;
  readonly files: Tree;
}

/** Keeps what a context was, by the context's digest. Idempotent. */
export async function putTree(store: Store, { digest, files }: ContextTree): Promise<void> {
  await explainFailures(store.directory, async () => {
    await ensureLayout(store);
    // UTF-16, because a file name's bytes that are no UTF-8 are lone surrogates here.
    const body = Buffer.from([...files].flat().join("\0"), "utf16le");
    const bytes = Buffer.concat([Buffer.from(`${digestBytes(body)}\n`), body]);
    await writeAtomically(store, { path: treePath(store, digest), bytes });
  });
}

/** What a context of this digest was, or undefined where that is not known any more. */
export async function findTree(store: Store, digest: Digest): Promise<Tree | undefined> {
  const bytes = await explainFailures(store.directory, () =>
    ifPresent(readFile(treePath(store, digest))),
  );
  if (bytes === undefined) return undefined;
  const end = bytes.indexOf("\n");
  const body = bytes.subarray(end + 1);
  if (bytes.toString("latin1", 0, end) !== digestBytes(body)) return undefined;
  const fields = body.toString("utf16le").split("\0");
  const tree = new Map<string, string>();
  for (const [index, field] of fields.entries()) {
    if (index % 2 === 1) tree.set(fields[index - 1] ?? "", field);
  }
  return tree;
}

function treePath(store: Store, digest: Digest): string {
  return join(cacheDirectory(store), `tree-${digestHex(digest)}`);
}
