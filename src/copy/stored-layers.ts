import { rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import pLimit from "p-limit";
import { type Digest, digestHex } from "../oci/oci.ts";
import { ifPresent } from "../system/errno.ts";
import { blameDisk, createCopyError } from "./failures.ts";
import { makeLayout, writeLayerPlaceholders } from "./layout.ts";
import type { LocalReference } from "./reference.ts";
import { copyImage } from "./skopeo.ts";

/** An image in an engine's storage whose layers are wanted. */
export interface StoredImage {
  readonly reference: LocalReference;
  /** Of all its layers. */
  readonly diffIds: readonly Digest[];
  /** A private directory, which is made. */
  readonly scratch: string;
  /** Completes "cannot ...". */
  readonly what: string;
}

/** Writes the archive of a layer, as it was when its diff ID was computed, into a file. @returns the file's path */
export type TakeLayer = (diffId: Digest, signal: AbortSignal) => Promise<string>;

/**
 * Prepares to take layers out of an engine's storage one by one. skopeo copies the image into a layout where all other
 * layers stand already as placeholders, so that it writes the one alone, and as it is. One is
 * written at a time: the file belongs to the caller. Errors: `copy-failed`, `store-full`.
 */
export async function openStoredLayers(image: StoredImage): Promise<TakeLayer> {
  const { diffIds, scratch } = image;
  const blobs = await makeLayout(scratch);
  await writeLayerPlaceholders(blobs, diffIds);
  const turn = pLimit(1);
  let count = 0;
  return (diffId, signal) =>
    turn(async () => {
      signal.throwIfAborted();
      count += 1;
      const taken = join(scratch, `layer-${count}`);
      try {
        await takeLayer({ ...image, blobs, diffId, signal }, taken);
      } catch (error) {
        throw await blameDisk(error, scratch);
      }
      return taken;
    });
}

interface WantedLayer extends StoredImage {
  readonly blobs: string;
  readonly diffId: Digest;
  readonly signal: AbortSignal;
}

async function takeLayer(
  { reference, scratch, what, blobs, diffId, signal }: WantedLayer,
  taken: string,
): Promise<void> {
  const blob = join(blobs, digestHex(diffId));
  await rm(blob, { force: true });
  await copyImage(reference.text, `oci:${scratch}:image`, { what, signal, keepLayers: true });
  if ((await ifPresent(stat(blob))) === undefined) {
    throw createCopyError(what, `skopeo wrote no layer ${diffId}`);
  }
  await rename(blob, taken);
  await writeLayerPlaceholders(blobs, [diffId]);
}
