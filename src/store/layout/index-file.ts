import { readFile, stat } from "node:fs/promises";
import { refNameAnnotation } from "../../oci/oci.ts";
import { digestBytes, isDigest } from "../../oci/oci.ts";
import { encodeJson, isJsonObject, tryParseJson } from "../../oci/oci.ts";
import { ociIndexType } from "../../oci/oci.ts";
import type { Descriptor } from "../../oci/oci.ts";
import { ifPresent } from "../../system/errno.ts";
import { blobMode, writeAtomically } from "./files.ts";
import { syncDirectory } from "../../system/durable.ts";
import type { Lock } from "../../system/lock.ts";
import { blobPath, indexCopyPath, indexPath, type Store } from "./paths.ts";

/** On the index itself: the digest of its list, so that a flipped bit is seen. */
const sumAnnotation = "io.xbuild.index.sum";

export interface IndexFile {
  /** What stands in the index, in order: usually one descriptor a name. */
  readonly manifests: readonly Descriptor[];
  /** `changed`: some other program, or a fault of the disk, changed it since we wrote it. */
  readonly condition: "whole" | "changed" | "missing";
}

/**
 * The store's index. Where it is not as we left it, what both it and its copy say: entries of the index
 * that can be read, and of the copy the names that are missing. Never throws for its content.
 */
export async function readIndex(store: Store): Promise<IndexFile> {
  const bytes = await ifPresent(readFile(indexPath(store)));
  const parsed = bytes === undefined ? undefined : parseIndexFile(bytes);
  if (parsed?.whole === true) return { manifests: parsed.manifests, condition: "whole" };
  const copy = await ifPresent(readFile(indexCopyPath(store)));
  if (bytes === undefined && copy === undefined) return { manifests: [], condition: "missing" };
  const kept = copy === undefined ? [] : parseIndexFile(copy).manifests;
  const present = await keepPresent(store, parsed?.manifests ?? []);
  return { manifests: joinEntries(present, kept), condition: "changed" };
}

/** Writes the copy, then the index: what a reader finds is one of them, whole. Needs the store's lock. */
export async function writeIndex(
  store: Store,
  manifests: readonly Descriptor[],
  _lock: Lock,
): Promise<void> {
  const bytes = encodeIndexFile(manifests);
  await writeAtomically(store, { path: indexCopyPath(store), bytes, isDurable: true });
  const path = indexPath(store);
  await writeAtomically(store, { path, bytes, mode: blobMode, isDurable: true });
  await syncDirectory(store.directory);
}

/** Whether the copy says what the index says; it is ahead where a commit was killed between the two. */
export async function isCopyCurrent(store: Store): Promise<boolean> {
  const files = [indexPath(store), indexCopyPath(store)];
  const [index, copy] = await Promise.all(files.map((path) => ifPresent(readFile(path))));
  return index !== undefined && copy !== undefined && index.equals(copy);
}

/** Whether the copy is as it was written; an index that was never written to has none. */
export async function isCopyWhole(store: Store): Promise<boolean> {
  const copy = await ifPresent(readFile(indexCopyPath(store)));
  return copy === undefined || parseIndexFile(copy).whole;
}

/** The bytes of an index with its own checksum. image-spec v1.1, image-index.md. */
export function encodeIndexFile(manifests: readonly Descriptor[]): Uint8Array {
  const annotations = { [sumAnnotation]: digestBytes(encodeJson(manifests)) };
  return encodeJson({ schemaVersion: 2, mediaType: ociIndexType, manifests, annotations });
}

/** The entry that a name stands for: of several the last. */
export function findNamedEntry(
  entries: readonly Descriptor[],
  name: string,
): Descriptor | undefined {
  return entries.findLast((entry) => nameOfEntry(entry) === name);
}

/** The image's name, in full, or undefined for an entry without one. */
export function nameOfEntry(entry: Descriptor): string | undefined {
  return entry.annotations?.[refNameAnnotation];
}

/** The entries after `names` are made to stand for the image of this descriptor. */
export function setNames(
  entries: readonly Descriptor[],
  names: readonly string[],
  image: Descriptor,
): readonly Descriptor[] {
  const named = names.map((name) => ({ ...image, annotations: { [refNameAnnotation]: name } }));
  return [...dropNames(entries, names), ...named];
}

/** The entries without those of these names. */
export function dropNames(
  entries: readonly Descriptor[],
  names: readonly string[],
): readonly Descriptor[] {
  return entries.filter((entry) => !names.includes(nameOfEntry(entry) ?? ""));
}

interface ParsedIndex {
  readonly manifests: readonly Descriptor[];
  readonly whole: boolean;
}

function parseIndexFile(bytes: Uint8Array): ParsedIndex {
  const document = tryParseJson(bytes);
  if (!isJsonObject(document) || !Array.isArray(document["manifests"])) {
    return { manifests: [], whole: false };
  }
  const { manifests, annotations } = document;
  const sum = isJsonObject(annotations) ? annotations[sumAnnotation] : undefined;
  return {
    manifests: manifests.filter(isDescriptor),
    whole: sum === digestBytes(encodeJson(manifests)),
  };
}

function isDescriptor(value: unknown): value is Descriptor {
  if (!isJsonObject(value)) return false;
  const { mediaType, digest, size, annotations = {} } = value;
  const named = isJsonObject(annotations) && Object.values(annotations).every(isText);
  return isText(mediaType) && isDigest(digest) && Number.isSafeInteger(size) && named;
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** An entry whose digest a flipped bit changed leads nowhere. */
async function keepPresent(
  store: Store,
  entries: readonly Descriptor[],
): Promise<readonly Descriptor[]> {
  const found = await Promise.all(
    entries.map(({ digest }) => ifPresent(stat(blobPath(store, digest)))),
  );
  return entries.filter((entry, index) => found[index]?.size === entry.size);
}

function joinEntries(
  entries: readonly Descriptor[],
  kept: readonly Descriptor[],
): readonly Descriptor[] {
  const names = new Set(entries.map(nameOfEntry));
  return [...entries, ...kept.filter((entry) => !names.has(nameOfEntry(entry)))];
}
