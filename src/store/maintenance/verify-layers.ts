import { rm } from "node:fs/promises";
import type { Digest, Image } from "../../oci/oci.ts";
import type { EntriesExamination } from "./examination.ts";
import type { StoreFinding } from "./findings.ts";
import { readImage } from "../images/images.ts";
import type { Store } from "../layout/paths.ts";
import { listPointers, type NamedEntry } from "./usage.ts";
import { relativeBlob } from "./verify-blobs.ts";

/**
 * Images that say what is not true of their layers: config and manifest are what their digests say, and pair a blob
 * with a diff ID that it has not. Whoever unpacks such an image sees other files than its maker named.
 */
export async function examineLayers(
  diffIds: ReadonlyMap<Digest, Digest | undefined>,
  { store, entries, repair }: EntriesExamination,
): Promise<readonly StoreFinding[]> {
  const findings: StoreFinding[] = [];
  for (const [digest, { image, names }] of await listImages(store, entries)) {
    const finding = compareLayers(image, diffIds);
    if (finding === undefined) continue;
    if (repair !== undefined) await forget(store, digest);
    findings.push({
      code: "layer-diff-id",
      message: finding,
      path: relativeBlob(digest),
      names,
      outcome: repair === undefined ? "left" : "removed",
    });
  }
  return findings;
}

interface Named {
  readonly image: Image;
  readonly names: readonly string[];
}

/** All that names, records and refs lead to. */
async function listImages(
  store: Store,
  entries: readonly NamedEntry[],
): Promise<ReadonlyMap<Digest, Named>> {
  const found = new Map<Digest, Named>();
  const add = (image: Image | undefined, name?: string): void => {
    if (image === undefined) return;
    const names = [
      ...(found.get(image.digest)?.names ?? []),
      ...(name === undefined ? [] : [name]),
    ];
    found.set(image.digest, { image, names });
  };
  for (const { images, name } of entries) for (const image of images) add(image, name);
  for (const { manifest } of await listPointers(store)) {
    if (!found.has(manifest)) add(await readImage(store, manifest));
  }
  return found;
}

/** A layer that is not here may be anything: only its registry knows. */
function compareLayers(
  { manifest, config }: Image,
  diffIds: ReadonlyMap<Digest, Digest | undefined>,
): string | undefined {
  const at = manifest.layers.findIndex(({ digest }, index) => {
    if (!diffIds.has(digest)) return false;
    return diffIds.get(digest) !== config.rootfs.diff_ids[index];
  });
  const layer = manifest.layers[at];
  if (layer === undefined) return undefined;
  const actual = diffIds.get(layer.digest) ?? "none, because it is not a layer";
  const claimed = config.rootfs.diff_ids[at] ?? "none";
  return `its layer ${layer.digest} has the diff ID ${actual}, but the image says ${claimed}`;
}

/** No build may take it for its result, or keep layers of it. */
async function forget(store: Store, manifest: Digest): Promise<void> {
  const pointers = await listPointers(store);
  const own = pointers.filter((pointer) => pointer.manifest === manifest);
  await Promise.all(own.map(({ path }) => rm(path, { force: true })));
}
