import { describeManifest } from "./describe.ts";
import { platformOf } from "./assemble-index.ts";
import { digestBytes } from "./digest.ts";
import { sortKeys } from "./json.ts";
import { ociIndexType } from "./media-types.ts";
import type { Descriptor, Image, ImageIndex } from "./model.ts";
import { namePlatform } from "./platforms.ts";
import { catchFinding, validateImage } from "./validate.ts";
import { type BlobReader, compare, type Finding } from "./validate-blob.ts";

/**
 * All that is wrong with an index of images by image-spec v1.1 (image-index.md): the document against its schema and
 * digest, every entry against its image, platforms that stand there twice, and every image (`validateImage`). Empty for
 * a valid index.
 */
export async function validateIndex(
  index: ImageIndex,
  reader?: BlobReader,
): Promise<readonly Finding[]> {
  const findings = [...(await validateDocument(index)), ...validatePlatforms(index)];
  for (const [at, image] of index.images.entries()) {
    const path = `manifests.${at}`;
    findings.push(...validateEntry(index.manifests[at], image, path));
    for (const { code, message, path: inner } of await validateImage(image, reader)) {
      findings.push({ code, message, path: `${path}: ${inner}` });
    }
  }
  return findings;
}

async function validateDocument(index: ImageIndex): Promise<readonly Finding[]> {
  const { bytes, digest, manifests, images } = index;
  // zod is slow to load, and only this needs it.
  const { parseIndex } = await import("./schema.ts");
  const schema = catchFinding("index", () => parseIndex(bytes));
  if (schema.length > 0) return schema;
  const document = parseIndex(bytes);
  const [said, actual] = [manifests, document.manifests].map((one) =>
    JSON.stringify(sortKeys(one)),
  );
  return [
    ...compare("index-digest", "digest", { said: digest, actual: digestBytes(bytes) }),
    ...compare("index-type", "mediaType", { said: document.mediaType, actual: ociIndexType }),
    ...compare("index-manifests", "manifests", { said, actual }),
    ...compare("index-count", "manifests", { said: manifests.length, actual: images.length }),
  ];
}

/** Who looks for a platform would find one of several. */
function validatePlatforms({ manifests }: ImageIndex): readonly Finding[] {
  const names = manifests.map(({ platform }) =>
    platform === undefined ? "" : namePlatform(platform),
  );
  return names.flatMap((name, at): readonly Finding[] => {
    const path = `manifests.${at}.platform`;
    if (name === "") return [{ code: "platform-missing", message: "it says no platform", path }];
    if (names.indexOf(name) === at) return [];
    return [{ code: "platform-twice", message: `${name} stands there twice`, path }];
  });
}

function validateEntry(
  entry: Descriptor | undefined,
  image: Image,
  path: string,
): readonly Finding[] {
  if (entry === undefined) return [];
  const { mediaType, digest, size } = describeManifest(image);
  const [said, actual] = [entry.platform ?? {}, platformOf(image)].map((one) =>
    JSON.stringify(sortKeys(one)),
  );
  return [
    ...compare("entry-type", path, { said: entry.mediaType, actual: mediaType }),
    ...compare("entry-digest", path, { said: entry.digest, actual: digest }),
    ...compare("entry-size", path, { said: entry.size, actual: size }),
    ...compare("entry-platform", `${path}.platform`, { said, actual }),
  ];
}
