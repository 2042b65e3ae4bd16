import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Digest, isDigest, isJsonObject, isFullName, tryParseJson } from "../../oci/oci.ts";
import type { StoragePlace } from "./storage-files.ts";

/** Bytes of a storage's list of images; a longer one takes as long to read as the engine takes to answer. */
const longestList = 16 * 1024 * 1024;

/**
 * The ID of the image that has this name in a storage of the containers/ family, by the storage's own list of images
 * (github.com/containers/storage, `images.go`: each image has all its names there, and the list is replaced whole).
 * undefined wherever that does not tell beyond doubt: of a short name, an ID or a digest, which the engines look up in
 * ways of their own, of a manifest list, of a list that is not what it was when this was written.
 */
export function findStoredName(name: string, { root, driver }: StoragePlace): Digest | undefined {
  const full = spellOut(name);
  if (full === undefined) return undefined;
  const list = readImages(join(root, `${driver}-images`, "images.json"));
  const [image, ...others] = list.filter(({ names }) => names.includes(full));
  // What has no layer may be a manifest list: it stands for another image.
  return image?.hasLayer === true && others.length === 0 ? image.id : undefined;
}

/** A name as the storage writes it, where it is given so, the tag being `latest` where there is none. */
function spellOut(name: string): string | undefined {
  return [name, `${name}:latest`].find((one) => !one.includes("@") && isFullName(one));
}

interface ListedImage {
  readonly id: Digest | undefined;
  readonly names: readonly unknown[];
  readonly hasLayer: boolean;
}

function readImages(path: string): readonly ListedImage[] {
  try {
    if (statSync(path).size > longestList) return [];
    const list = tryParseJson(readFileSync(path));
    return Array.isArray(list) ? list.flatMap(parseImage) : [];
  } catch {
    return [];
  }
}

function parseImage(value: unknown): readonly ListedImage[] {
  if (!isJsonObject(value)) return [];
  const { id, names, layer } = value;
  if (!Array.isArray(names)) return [];
  const digest = `sha256:${typeof id === "string" ? id : ""}`;
  const hasLayer = typeof layer === "string" && layer !== "";
  return [{ id: isDigest(digest) ? digest : undefined, names, hasLayer }];
}
