import { randomUUID } from "node:crypto";
import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { XbuildError } from "../../errors.ts";
import {
  describeIndex,
  describeManifest,
  digestHex,
  encodeJson,
  isJsonObject,
  ociIndexType,
  refNameAnnotation,
  tryParseJson,
} from "../../oci/oci.ts";
import type { Descriptor, Digest, Image, ImageIndex, Json } from "../../oci/oci.ts";
import { listMissingLayers } from "../blobs/blobs.ts";
import { createDuplicator, type Duplicate } from "../layout/duplicate.ts";
import { ifPresent } from "../../system/errno.ts";
import { blobMode, forEachOf } from "../layout/files.ts";
import { settleFile, syncDirectory } from "../../system/durable.ts";
import { makeDirectories } from "../../system/make-directories.ts";
import { withLock } from "../../system/lock.ts";
import { blobPath, type Store } from "../layout/paths.ts";

export interface ExportOptions {
  /** Where the layout is written; it is made where it is not there. */
  readonly directory: string;
  /** Without one, the entry that has none is replaced. */
  readonly name?: string | undefined;
  /** Layers that are not here may be missing in the layout: it is pushed to where they are. */
  readonly isPartial?: boolean;
  /** The directory is one of a run: blobs may be the store's own files, under another name. */
  readonly isOurs?: boolean;
}

/**
 * Writes an image of the store, or an index of such, into an OCI layout of its own (`-o oci:DIR[:NAME]`); what an existing one has under
 * other names stays. Blobs are reflinked or copied, and in a directory of ours hard-linked, whichever works first.
 * What is ours waits for no lock and no disk.
 * Errors: `image-incomplete` (layers that are not on this machine), `image-invalid` (the layout's index).
 */
export async function exportLayout(
  store: Store,
  exported: Image | ImageIndex,
  options: ExportOptions,
): Promise<void> {
  const { directory } = options;
  const images = "images" in exported ? exported.images : [exported];
  const missing = (
    await Promise.all(images.map((image) => listMissingLayers(store, image)))
  ).flat();
  if (options.isPartial !== true) assertComplete(missing);
  const entry = "images" in exported ? describeIndex(exported) : describeManifest(exported);
  const lacking = new Set(missing.map((layer) => layer.digest));
  await makeDirectories(join(directory, "blobs", "sha256"));
  const content: Content = { exported, entry, images, lacking };
  // Nobody else writes there, and nobody reads it once this process has died.
  if (options.isOurs === true) return writeContent(store, content, options);
  const write = async (): Promise<void> => {
    await writeContent(store, content, options);
    await syncDirectory(directory);
  };
  await withLock(directory, write, { signal: store.signal, onWait: store.onWait });
}

/** What becomes a layout. */
interface Content {
  readonly exported: Image | ImageIndex;
  /** What the layout's index says of it. */
  readonly entry: Descriptor;
  readonly images: readonly Image[];
  /** Layers whose bytes are not here. */
  readonly lacking: ReadonlySet<Digest>;
}

async function writeContent(
  store: Store,
  { exported, entry, images, lacking }: Content,
  { directory, name, isOurs = false }: ExportOptions,
): Promise<void> {
  const blobs = join(directory, "blobs", "sha256");
  const made = createDuplicator({ mayLink: isOurs });
  const duplicate = isOurs ? made : atOnce(made);
  const digests = new Set(images.flatMap(listDigests));
  const present = [...digests].filter((digest) => !lacking.has(digest));
  await forEachOf(present, (digest) =>
    exportBlob(blobPath(store, digest), join(blobs, digestHex(digest)), duplicate),
  );
  const put = isOurs ? replaceFile : replaceDurably;
  if ("images" in exported) await put(join(blobs, digestHex(exported.digest)), exported.bytes);
  // The index comes last, when all that it names is durable.
  if (!isOurs) await syncDirectory(blobs);
  const index = await readForeignIndex(directory);
  await put(join(directory, "oci-layout"), encodeJson({ imageLayoutVersion: "1.0.0" }));
  await put(join(directory, "index.json"), encodeJson(addToIndex(index, entry, name)));
}

function assertComplete(missing: readonly Descriptor[]): void {
  if (missing.length === 0) return;
  const digests = missing.map((layer) => layer.digest).join(", ");
  throw new XbuildError(
    "image-incomplete",
    `${missing.length} of the image's layers are not on this machine: ${digests}`,
    { hint: "build it again, or push it to the registry that has them" },
  );
}

function listDigests({ manifest, digest }: Image): readonly Digest[] {
  return [...manifest.layers.map((layer) => layer.digest), manifest.config.digest, digest];
}

async function exportBlob(source: string, target: string, duplicate: Duplicate): Promise<void> {
  const [wanted, present] = await Promise.all([stat(source), ifPresent(stat(target))]);
  if (present?.size !== wanted.size) await duplicate(source, target);
}

/** Whoever reads the target sees a whole file. */
function atOnce(duplicate: Duplicate): Duplicate {
  return async (source, target) => {
    const temporary = `${target}.${randomUUID()}`;
    try {
      await duplicate(source, temporary);
      await rename(temporary, target);
    } finally {
      await rm(temporary, { force: true });
    }
  };
}

type JsonObject = { readonly [key: string]: Json };

/** All of it is kept, also what we know nothing of. */
async function readForeignIndex(directory: string): Promise<JsonObject> {
  const path = join(directory, "index.json");
  const text = await ifPresent(readFile(path, "utf8"));
  if (text === undefined) return { schemaVersion: 2, mediaType: ociIndexType, manifests: [] };
  const index = tryParseJson(text);
  if (isJsonObject(index) && Array.isArray(index["manifests"])) return index;
  throw new XbuildError("image-invalid", `${path} is not an image index`, {
    hint: "remove the directory, or name another one",
  });
}

function addToIndex(index: JsonObject, added: Descriptor, name: string | undefined): object {
  const entries = Array.isArray(index["manifests"]) ? index["manifests"] : [];
  const others = entries.filter((one) => nameOf(one) !== name);
  const annotations = name === undefined ? {} : { annotations: { [refNameAnnotation]: name } };
  return { ...index, manifests: [...others, { ...added, ...annotations }] };
}

function nameOf(entry: Json): unknown {
  if (!isJsonObject(entry) || !isJsonObject(entry["annotations"])) return undefined;
  return entry["annotations"][refNameAnnotation];
}

async function replaceFile(path: string, bytes: Uint8Array): Promise<void> {
  await replaceWith(path, (temporary) => writeFile(temporary, bytes, { flag: "wx" }));
}

async function replaceDurably(path: string, bytes: Uint8Array): Promise<void> {
  await replaceWith(path, async (temporary) => {
    await writeFile(temporary, bytes, { flag: "wx" });
    await settleFile(temporary, blobMode);
  });
}

async function replaceWith(
  path: string,
  write: (temporary: string) => Promise<unknown>,
): Promise<void> {
  const temporary = join(dirname(path), `.${randomUUID()}`);
  try {
    await write(temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
}
