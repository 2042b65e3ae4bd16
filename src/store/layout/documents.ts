import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { digestBytes } from "../../oci/oci.ts";
import { encodeJson, isJsonObject, tryParseJson } from "../../oci/oci.ts";
import type { Json } from "../../oci/oci.ts";
import { syncDirectory } from "../../system/durable.ts";
import { ifPresent } from "../../system/errno.ts";
import { writeAtomically } from "./files.ts";
import { documentPath, type OwnDocumentKind, type Store } from "./paths.ts";

/** Documents of another version are ignored: they are caches, and the next build writes them anew. */
const version = 1;

/** The file names of such documents. */
export const documentName = /^[0-9a-f]{64}\.json$/;

type Kind = OwnDocumentKind;
type JsonObject = { readonly [key: string]: Json };

/**
 * One of xbuild's own documents, or undefined where it is not there, of another version, or changed by a
 * fault of the disk.
 */
export async function readOwnDocument(
  store: Store,
  kind: Kind,
  key: string,
): Promise<JsonObject | undefined> {
  const bytes = await ifPresent(readFile(documentPath(store, kind, key)));
  const value = bytes && decodeOwnDocument(bytes);
  return value?.["key"] === key ? value : undefined;
}

/** A document of a kind, whatever its key. */
export interface StoredDocument {
  readonly path: string;
  /** Of the file, in bytes. */
  readonly size: number;
  /** When it was last written or used, in milliseconds since 1970. */
  readonly usedAt: number;
  readonly key: string;
  readonly value: JsonObject;
}

/** All of a kind that can be read. */
export async function listOwnDocuments(
  store: Store,
  kind: Kind,
): Promise<readonly StoredDocument[]> {
  const directory = join(store.directory, kind);
  const names = ((await ifPresent(readdir(directory))) ?? []).filter((one) =>
    documentName.test(one),
  );
  const documents = names.map(async (name): Promise<readonly StoredDocument[]> => {
    const path = join(directory, name);
    const [bytes, status] = await Promise.all([ifPresent(readFile(path)), ifPresent(stat(path))]);
    const value = bytes && decodeOwnDocument(bytes);
    const key = value?.["key"];
    if (value === undefined || status === undefined || typeof key !== "string") return [];
    return [{ path, size: status.size, usedAt: status.mtimeMs, key, value }];
  });
  return (await Promise.all(documents)).flat();
}

/** Without such a document nobody would know where the layers are that a name's image has elsewhere. */
const durableKinds: ReadonlySet<Kind> = new Set(["locations"]);

/** Replaces the document at once. Most are lost in a power failure at worst, and then found to be so. */
export async function writeOwnDocument(
  store: Store,
  kind: Kind,
  value: { readonly key: string },
): Promise<void> {
  const envelope = { version, sum: digestBytes(encodeJson(value)), value };
  const path = documentPath(store, kind, value.key);
  const isDurable = durableKinds.has(kind);
  await writeAtomically(store, { path, bytes: encodeJson(envelope), isDurable });
  if (isDurable) await syncDirectory(dirname(path));
}

/** The value of a document's bytes, or undefined as above. */
function decodeOwnDocument(bytes: Uint8Array): JsonObject | undefined {
  const envelope = parseEnvelope(bytes);
  if (envelope === undefined || envelope["version"] !== version) return undefined;
  const { sum, value } = envelope;
  return isJsonObject(value) && sum === digestBytes(encodeJson(value)) ? value : undefined;
}

/** Whether a document is as it was written; one of another version cannot be judged, and is let be. */
export function inspectOwnDocument(bytes: Uint8Array): "whole" | "foreign" | "damaged" {
  const envelope = parseEnvelope(bytes);
  const theirs = envelope?.["version"];
  if (typeof theirs === "number" && Number.isInteger(theirs) && theirs > version) return "foreign";
  return decodeOwnDocument(bytes) === undefined ? "damaged" : "whole";
}

function parseEnvelope(bytes: Uint8Array): JsonObject | undefined {
  const envelope = tryParseJson(bytes);
  return isJsonObject(envelope) ? envelope : undefined;
}
