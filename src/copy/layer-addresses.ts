import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  digestBytes,
  digestHex,
  encodeJson,
  type Image,
  isExternal,
  isJsonObject,
} from "../oci/oci.ts";

/**
 * Takes the addresses of layers (`urls`) out of an image in a layout of ours that has all of its bytes. skopeo would
 * fetch such layers from wherever the manifest says, although they are there, when it loads the image or writes it
 * in a form that has no addresses. The manifest gets another digest, the config keeps its own. Idempotent.
 */
export async function dropLayerAddresses(directory: string, image: Image): Promise<void> {
  if (!image.manifest.layers.some(isExternal)) return;
  const manifest: unknown = JSON.parse(Buffer.from(image.manifestBytes).toString("utf8"));
  const bytes = encodeJson(withoutAddresses(manifest));
  const digest = digestBytes(bytes);
  await writeFile(join(directory, "blobs", "sha256", digestHex(digest)), bytes);
  const path = join(directory, "index.json");
  const index: unknown = JSON.parse(await readFile(path, "utf8"));
  const replace = (entry: unknown): unknown =>
    isJsonObject(entry) && entry["digest"] === image.digest
      ? { ...entry, digest, size: bytes.byteLength }
      : entry;
  await writeFile(path, encodeJson(mapList(index, "manifests", replace)));
}

function withoutAddresses(manifest: unknown): object {
  return mapList(manifest, "layers", (layer) => {
    if (!isJsonObject(layer)) return layer;
    const { urls: _, ...others } = layer;
    return others;
  });
}

/** The same object with the items of one of its lists replaced. */
function mapList(value: unknown, key: string, replace: (item: unknown) => unknown): object {
  if (!isJsonObject(value)) return {};
  const list = value[key];
  return { ...value, [key]: Array.isArray(list) ? list.map(replace) : list };
}
