import { access } from "node:fs/promises";
import type { Image } from "../oci/model.ts";
import { findImage, readImage } from "../store/images.ts";
import { tagImage } from "../store/names.ts";
import { blobPath, type Store } from "../store/paths.ts";
import { findRecord } from "../store/records.ts";
import type { BuildInputs } from "./inputs.ts";
import type { BuildRequest } from "./request.ts";

/** The image that a build with the same key gave, where it is still here as a whole. */
export async function findUpToDate(store: Store, inputs: BuildInputs): Promise<Image | undefined> {
  if (inputs.key === undefined) return undefined;
  const record = await findRecord(store, inputs.key);
  if (record === undefined) return undefined;
  const image = await readImage(store, record.manifest);
  if (image === undefined) return undefined;
  const here = image.manifest.layers.map(({ digest }) => isReadable(blobPath(store, digest)));
  return (await Promise.all(here)).every(Boolean) ? image : undefined;
}

/** Lets the names of this build stand for the image, where they do not yet. */
export async function keepUpToDate(
  store: Store,
  request: BuildRequest,
  image: Image,
): Promise<void> {
  const names = request.names.map((one) => one.full);
  const now = await Promise.all(names.map((name) => findImage(store, name)));
  const missing = names.filter((_, index) => now[index]?.digest !== image.digest);
  if (missing.length > 0) await tagImage(store, image, missing);
}

async function isReadable(path: string): Promise<boolean> {
  try {
    await access(path);
    return true;
  } catch {
    return false;
  }
}
