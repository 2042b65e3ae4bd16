import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Digest, isDigest, isFullName } from "../../oci/oci.ts";
import {
  imagesFile,
  nameImages,
  parseImages,
  type StorageImage,
  type StoragePlace,
} from "./storage-files.ts";

/** Bytes of a storage's list of images; a longer one takes as long to read as the engine takes to answer. */
const longestList = 16 * 1024 * 1024;

/**
 * The ID of the image that has this name in a storage of the containers/ family, by the storage's own list of images
 * (github.com/containers/storage, `images.go`: each image has all its names there, and the list is replaced whole).
 * undefined wherever that does not tell beyond doubt: of a short name, an ID or a digest, which the engines look up in
 * ways of their own, of a manifest list, of a list that is not what it was when this was written.
 */
export function findStoredName(name: string, place: StoragePlace): Digest | undefined {
  const full = spellOut(name);
  if (full === undefined) return undefined;
  const list = readImages(nameImages(place));
  const [image, ...others] = list.filter(({ names }) => names.includes(full));
  // What has no layer may be a manifest list: it stands for another image.
  const isSure = image?.layer !== undefined && others.length === 0 && isDigest(image.id);
  return isSure ? image.id : undefined;
}

/** A name as the storage writes it, where it is given so, the tag being `latest` where there is none. */
function spellOut(name: string): string | undefined {
  return [name, `${name}:latest`].find((one) => !one.includes("@") && isFullName(one));
}

function readImages(directory: string): readonly StorageImage[] {
  const path = join(directory, imagesFile);
  try {
    if (statSync(path).size > longestList) return [];
    return parseImages(readFileSync(path), directory);
  } catch {
    return [];
  }
}
