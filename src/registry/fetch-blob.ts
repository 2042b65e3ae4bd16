import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { Descriptor } from "../oci/oci.ts";
import { createAnswerError, createRegistryError } from "./failures.ts";
import type { Chunks } from "./http.ts";
import { blobsPath } from "./paths.ts";
import { askInTurn } from "./read-documents.ts";
import type { NamedLocation, Registries } from "./registries.ts";

/** A blob, and where it is to come. */
export interface BlobTarget extends Pick<Descriptor, "digest"> {
  /** In bytes: whoever sends more would fill the disk. */
  readonly size?: number | undefined;
  /** A file in a private directory; one that is there is replaced. */
  readonly path: string;
  /** Told how many bytes have come since the last time; less than nothing where they come anew. */
  readonly onBytes?: (bytes: number) => void;
}

/**
 * Brings a blob into a file, its size and digest checked. distribution-spec v1.1, "Pulling blobs".
 * @returns whether the registry has it
 */
export async function fetchBlob(
  registries: Registries,
  name: string,
  target: BlobTarget,
): Promise<boolean> {
  const locations = await registries.locate(name, "mirrored");
  const come = await askInTurn(locations, (location) => fetchAt(registries, location, target));
  return come === true;
}

async function fetchAt(
  registries: Registries,
  location: NamedLocation,
  target: BlobTarget,
): Promise<true | undefined> {
  const { repository } = location;
  const { request } = await registries.open(location);
  const response = await request({
    method: "GET",
    path: `${blobsPath(repository)}${target.digest}`,
    repository,
    scopes: [`repository:${repository}:pull`],
    sink: (chunks) => writeChecked(chunks, target),
  });
  if (response.status === 404) return undefined;
  if (response.status !== 200) throw createAnswerError(response);
  return true;
}

async function writeChecked(
  chunks: Chunks,
  { digest, size, path, onBytes }: BlobTarget,
): Promise<void> {
  const hash = createHash("sha256");
  const file = await open(path, "w", 0o600);
  let written = 0;
  try {
    for await (const chunk of chunks) {
      written += chunk.byteLength;
      if (size !== undefined && written > size) throw createExcess(size);
      hash.update(chunk);
      await file.writeFile(chunk);
      onBytes?.(chunk.byteLength);
    }
    const actual = `sha256:${hash.digest("hex")}`;
    if (actual !== digest) throw createMismatch(written, actual);
  } catch (error) {
    onBytes?.(-written);
    throw error;
  } finally {
    await file.close();
  }
}

function createExcess(size: number): Error {
  const reason = `more bytes come than the manifest says, which are ${size}`;
  return createRegistryError("corrupt", reason);
}

function createMismatch(size: number, actual: string): Error {
  return createRegistryError("corrupt", `the ${size} bytes that came have the digest ${actual}`);
}
