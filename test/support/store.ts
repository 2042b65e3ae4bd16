import { join } from "node:path";
import type { Image } from "../../src/oci/model.ts";
import { commitImage, type CommitInput } from "../../src/store/images/commit.ts";
import type { Store } from "../../src/store/layout/paths.ts";
import { beginRun } from "../../src/store/runs/runs.ts";
import { openStore } from "../../src/store/layout/open.ts";
import type { StoreFinding, VerifyOptions } from "../../src/store/maintenance/findings.ts";
import { verifyStore } from "../../src/store/maintenance/verify.ts";
import { hashBlob } from "../../src/archive/identify-layer.ts";
import {
  createTestImage,
  createTestLayer,
  stageTestLayers,
  withTemporaryDirectory,
} from "./images.ts";

/** A store that is gone when the test is over, in a temporary directory that may hold more. */
export function withStore(
  action: (store: Store, directory: string) => Promise<void>,
): Promise<void> {
  return withTemporaryDirectory(async (directory) => {
    await action(await openStore(join(directory, "store")), directory);
  });
}

/** Commits an image of one layer for each of these contents, in a run of its own. */
export async function commitTestImage(
  store: Store,
  contents: readonly string[],
  input: Partial<CommitInput> = {},
): Promise<Image> {
  const layers = await Promise.all(contents.map((text) => createTestLayer(text, text)));
  const image = createTestImage(layers);
  const run = await beginRun(store);
  try {
    const stagedBlobs = await stageTestLayers(layers, run.staging);
    await commitImage(run, { image, stagedBlobs, names: [], ...input });
  } finally {
    await run.end();
  }
  return image;
}

/** Commits as above, with a record whose key is `key`. */
export async function commitRecorded(
  store: Store,
  contents: readonly string[],
  key: string,
  names: readonly string[] = [],
): Promise<Image> {
  const layers = await Promise.all(contents.map((text) => createTestLayer(text, text)));
  const manifest = createTestImage(layers).digest;
  return commitTestImage(store, contents, { names, records: [{ key, manifest, names }] });
}

/** `xbuild cache verify`: every byte, and what images say of their layers. */
export function checkStore(
  store: Store,
  options: Partial<VerifyOptions> = {},
): Promise<readonly StoreFinding[]> {
  return verifyStore(store, { hashBlob, ...options });
}
