import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestBytes, digestHex } from "../../src/oci/digest.ts";
import type { Digest, ImageConfig, Manifest } from "../../src/oci/model.ts";
import type { Sandbox } from "./sandbox.ts";

/** What an image says, and what it is to say instead. */
export interface Lie {
  readonly config?: (config: ImageConfig) => ImageConfig;
  readonly manifest?: (manifest: Manifest) => Manifest;
}

/** Copies an image into a layout, lets it say something else, and returns the layout's reference. */
export async function forgeImage(
  sandbox: Sandbox,
  source: string,
  directory: string,
  lie: Lie,
): Promise<string> {
  await sandbox.exec(
    "skopeo",
    "copy",
    "-q",
    "--preserve-digests",
    source,
    `oci:${directory}:image`,
  );
  const index = JSON.parse(await readFile(join(directory, "index.json"), "utf8"));
  const manifest: Manifest = await readBlob(directory, index.manifests[0].digest);
  const config: ImageConfig = await readBlob(directory, manifest.config.digest);
  const forged = await writeBlob(directory, lie.config?.(config) ?? config);
  const written = { ...manifest, config: { ...manifest.config, ...forged } };
  const entry = await writeBlob(directory, lie.manifest?.(written) ?? written);
  index.manifests[0] = { ...index.manifests[0], ...entry };
  await writeFile(join(directory, "index.json"), JSON.stringify(index));
  return `oci:${directory}:image`;
}

async function readBlob<T>(directory: string, digest: Digest): Promise<T> {
  return JSON.parse(await readFile(join(directory, "blobs/sha256", digestHex(digest)), "utf8"));
}

async function writeBlob(
  directory: string,
  document: object,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const bytes = Buffer.from(JSON.stringify(document));
  const digest = digestBytes(bytes);
  await writeFile(join(directory, "blobs/sha256", digestHex(digest)), bytes);
  return { digest, size: bytes.length };
}
