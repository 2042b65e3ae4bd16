import { access, link, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../errors.ts";
import { digestHex } from "../oci/digest.ts";
import type { Digest } from "../oci/model.ts";
import { parseImageName } from "../oci/reference.ts";
import type { VerifyOptions } from "../store/findings.ts";
import { nameOfEntry, readIndex } from "../store/index-file.ts";
import { blobPath, type Store } from "../store/paths.ts";
import { beginRun, type Run } from "../store/runs.ts";
import { listBlobs } from "../store/usage.ts";
import { copyImage } from "../transport/skopeo.ts";

export interface BlobFetcher {
  readonly fetch: NonNullable<VerifyOptions["fetchBlob"]>;
  /** Removes what was fetched and is not used. */
  readonly end: () => Promise<void>;
}

/**
 * Brings damaged blobs from the registries that the images' names say, by the digest of the manifest that
 * the store knows: the bytes that were pushed, or nothing.
 */
export function createBlobFetcher(store: Store): BlobFetcher {
  let run: Promise<Run> | undefined;
  return {
    fetch: async (digest, names) => {
      run ??= beginRun(store);
      const { staging } = await run;
      for (const source of await listSources(store, names)) {
        const found = await fetchFrom(store, source, digest, join(staging, digestHex(digest)));
        if (found !== undefined) return found;
      }
      return undefined;
    },
    end: async () => {
      if (run !== undefined) await (await run).end();
    },
  };
}

/** The names in a registry; `localhost/...` without a port is in none. */
async function listSources(store: Store, names: readonly string[]): Promise<readonly string[]> {
  const { manifests } = await readIndex(store);
  return names.flatMap((name) => {
    const { registry, repository } = parseImageName(name);
    const entry = manifests.findLast((one) => nameOfEntry(one) === name);
    if (registry === "localhost" || entry === undefined) return [];
    return [`docker://${registry}/${repository}@${entry.digest}`];
  });
}

/** skopeo loads no blob that the layout already has: so what is right here is put there first. */
async function fetchFrom(
  store: Store,
  source: string,
  digest: Digest,
  layout: string,
): Promise<string | undefined> {
  const blobs = join(layout, "blobs", "sha256");
  const wanted = join(blobs, digestHex(digest));
  await mkdir(blobs, { recursive: true });
  await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  for (const one of await listBlobs(store)) {
    if (one.digest === digest) continue;
    await link(blobPath(store, one.digest), join(blobs, digestHex(one.digest))).catch(
      () => undefined,
    );
  }
  try {
    await copyImage(source, `oci:${layout}:fetched`);
  } catch (error) {
    // Not there, or no access: another name may have it.
    if (error instanceof XbuildError) return undefined;
    throw error;
  }
  return access(wanted).then(
    () => wanted,
    () => undefined,
  );
}
