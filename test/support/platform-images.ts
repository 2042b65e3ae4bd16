import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pack, type Pack } from "tar-stream";
import { digestBytes } from "../../src/oci/digest.ts";
import {
  ociConfigType,
  ociIndexType,
  ociLayerType,
  ociManifestType,
} from "../../src/oci/media-types.ts";
import type { Digest } from "../../src/oci/model.ts";
import { unpackDebian } from "./debian-files.ts";
import { createPusher, type DocumentPusher } from "./registry-documents.ts";
import type { Registry } from "./registry.ts";

/** What the image says, and its entry in the index. */
export interface PushedPlatform {
  readonly os: string;
  readonly architecture: string;
  readonly variant?: string;
}

export interface PushedEntry {
  readonly manifest: Digest;
  /** The ID that engines give it. */
  readonly id: Digest;
}

/**
 * Pushes an image for each platform, and an index of them under the tag: `/bin/busybox` of that architecture where there
 * is one (amd64 and arm64), and `/platform` with its name. `text` makes another image of it.
 * @returns the entries by their platforms (`linux/arm64`)
 */
export async function pushPlatforms(
  { registry, repository }: { readonly registry: Registry; readonly repository: string },
  platforms: readonly PushedPlatform[],
  { tag = "1", text = "" }: { readonly tag?: string; readonly text?: string } = {},
): Promise<ReadonlyMap<string, PushedEntry>> {
  const pusher = createPusher(registry, repository);
  const entries = new Map<string, PushedEntry>();
  const manifests: object[] = [];
  for (const platform of platforms) {
    const name = nameOf(platform);
    const image = await pushImage(pusher, platform, text);
    entries.set(name, { manifest: image.digest, id: image.id });
    const { digest, size } = image;
    manifests.push({ mediaType: ociManifestType, digest, size, platform });
  }
  const index = { schemaVersion: 2, mediaType: ociIndexType, manifests };
  await pusher.pushManifest(index, tag);
  return entries;
}

function nameOf({ os, architecture, variant }: PushedPlatform): string {
  return [os, architecture, ...(variant === undefined ? [] : [variant])].join("/");
}

/** An image that stands in no index. */
export async function pushSingle(
  { registry, repository }: { readonly registry: Registry; readonly repository: string },
  platform: PushedPlatform,
  tag: string,
): Promise<PushedEntry> {
  const { digest, id } = await pushImage(createPusher(registry, repository), platform, "", tag);
  return { manifest: digest, id };
}

async function pushImage(
  pusher: DocumentPusher,
  platform: PushedPlatform,
  text: string,
  tag = nameOf(platform).replaceAll("/", "-"),
): Promise<{ readonly digest: Digest; readonly size: number; readonly id: Digest }> {
  const tar = await packRoot(platform, text);
  const layer = await pusher.pushBlob(tar, ociLayerType);
  const config = {
    ...platform,
    config: { Env: ["PATH=/bin"], Cmd: ["/bin/sh"] },
    rootfs: { type: "layers", diff_ids: [digestBytes(tar)] },
    history: [{ created: "2026-11-20T00:00:00Z", created_by: "test" }],
  };
  const bytes = Buffer.from(JSON.stringify(config));
  const manifest = {
    schemaVersion: 2,
    mediaType: ociManifestType,
    config: await pusher.pushBlob(bytes, ociConfigType),
    layers: [layer],
  };
  const digest = await pusher.pushManifest(manifest, tag);
  const size = Buffer.byteLength(JSON.stringify(manifest));
  return { digest, size, id: digestBytes(bytes) };
}

const commands = ["sh", "cat", "echo", "mkdir", "cp", "true", "uname", "ls"];

async function packRoot(platform: PushedPlatform, text: string): Promise<Uint8Array> {
  const archive = pack();
  const read = collect(archive);
  for (const name of ["bin", "tmp"]) archive.entry({ name, type: "directory", mode: 0o1777 });
  archive.entry({ name: "platform" }, `${nameOf(platform)}${text}\n`);
  const program = await findBusybox(platform.architecture);
  if (program !== undefined) {
    archive.entry({ name: "bin/busybox", mode: 0o755 }, program);
    for (const one of commands) {
      archive.entry({ name: `bin/${one}`, type: "symlink", linkname: "busybox" });
    }
  }
  archive.finalize();
  return read;
}

async function findBusybox(architecture: string): Promise<Buffer | undefined> {
  if (architecture !== "arm64" && architecture !== "amd64") return undefined;
  const directory = await unpackDebian("busybox-static", architecture);
  return readFile(join(directory, "bin", "busybox")).catch(() =>
    readFile(join(directory, "usr", "bin", "busybox")),
  );
}

async function collect(archive: Pack): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) if (chunk instanceof Uint8Array) chunks.push(chunk);
  return Buffer.concat(chunks);
}
