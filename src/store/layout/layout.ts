import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../../errors.ts";
import { encodeJson } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { syncDirectory } from "../../system/durable.ts";
import { makePrivateDirectory } from "../../system/private-directory.ts";
import { assertOwn } from "./access.ts";
import { blobMode, createAtomically } from "./files.ts";
import { encodeIndexFile } from "./index-file.ts";
import {
  blobsDirectory,
  indexPath,
  ownDocumentKinds,
  temporaryDirectory,
  type Store,
} from "./paths.ts";

const markerName = "oci-layout";
const ownNames: ReadonlySet<string> = new Set([
  markerName,
  "index.json",
  "blobs",
  "tmp",
  "refs",
  "records",
  "state",
  "locations",
  "uses",
  "cache",
  "key",
  "lock",
  "lost+found",
]);

/**
 * Makes the directory an empty OCI layout if it is none yet. Any number of processes may do so at once,
 * and one that dies in it leaves what the next one finishes. It is its owner's alone. Errors:
 * `store-not-writable` for another user's. image-spec v1.1, image-layout.md.
 */
export async function ensureLayout(store: Store): Promise<void> {
  const marker = join(store.directory, markerName);
  // A layout that another tool made has the marker alone, and what a build keeps early is in some directories already.
  const kinds = ownDocumentKinds.map((name) => join(store.directory, name));
  const needed = [marker, temporaryDirectory(store), ...kinds];
  const found = await Promise.all(needed.map((path) => ifPresent(stat(path))));
  assertOwn(store);
  if (!found.includes(undefined)) return;
  await assertOurs(store.directory);
  await makePrivateDirectory(blobsDirectory(store));
  await Promise.all(
    [...kinds, join(store.directory, "cache")].map((path) => makePrivateDirectory(path)),
  );
  await makePrivateDirectory(temporaryDirectory(store));
  const files = [
    { path: indexPath(store), bytes: encodeIndexFile([]) },
    { path: marker, bytes: encodeJson({ imageLayoutVersion: "1.0.0" }) },
  ];
  for (const file of files) await createAtomically(store, { ...file, mode: blobMode });
  await syncDirectory(store.directory);
}

/** A home directory named by mistake must not be filled, and later pruned. */
async function assertOurs(directory: string): Promise<void> {
  const names = (await ifPresent(readdir(directory))) ?? [];
  const foreign = names.find((name) => !ownNames.has(name));
  if (foreign === undefined) return;
  const message = `the store ${directory} contains something that is not xbuild's (${foreign})`;
  const hint = "set XBUILD_STORE to an empty directory, or to one that does not exist yet";
  throw new XbuildError("store-not-writable", message, { hint });
}
