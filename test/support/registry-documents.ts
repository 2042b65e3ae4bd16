import { gzipSync } from "node:zlib";
import { digestBytes } from "../../src/oci/digest.ts";
import { ociConfigType, ociLayerType, ociManifestType } from "../../src/oci/media-types.ts";
import type { Descriptor, Digest } from "../../src/oci/model.ts";
import type { Registry } from "./registry.ts";

/** Documents as a test wants them, which no tool would write, pushed to a registry behind its proxy's back. */
export interface DocumentPusher {
  /** distribution-spec v1.1, "Pushing a blob monolithically", POST then PUT. */
  readonly pushBlob: (bytes: Uint8Array, mediaType: string) => Promise<Descriptor>;
  /** @returns the manifest's digest */
  readonly pushManifest: (document: object, tag: string) => Promise<Digest>;
}

export function createPusher({ port }: Registry, repository: string): DocumentPusher {
  const root = `http://127.0.0.1:${port}/v2/${repository}`;
  return {
    pushBlob: async (bytes, mediaType) => {
      const digest = digestBytes(bytes);
      const begun = await fetch(`${root}/blobs/uploads/`, { method: "POST" });
      const url = new URL(begun.headers.get("location") ?? "", root);
      url.searchParams.append("digest", digest);
      const headers = { "content-type": "application/octet-stream" };
      await put(url, bytes, headers);
      return { mediaType, digest, size: bytes.byteLength };
    },
    pushManifest: async (document, tag) => {
      const bytes = Buffer.from(JSON.stringify(document));
      const type = "mediaType" in document ? String(document.mediaType) : ociManifestType;
      await put(new URL(`${root}/manifests/${tag}`), bytes, { "content-type": type });
      return digestBytes(bytes);
    },
  };
}

async function put(url: URL, body: Uint8Array, headers: Record<string, string>): Promise<void> {
  const response = await fetch(url, { method: "PUT", headers, body: new Uint8Array(body) });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
}

/** An image of these layers' content, each of which is an empty tar with a comment; its parts are pushed. */
export async function pushParts(
  pusher: DocumentPusher,
  contents: readonly string[],
): Promise<{ readonly config: Descriptor; readonly layers: readonly Descriptor[] }> {
  const layers: Descriptor[] = [];
  for (const content of contents) {
    layers.push(await pusher.pushBlob(packLayer(content), `${ociLayerType}+gzip`));
  }
  const config = await pusher.pushBlob(renderConfig(contents), ociConfigType);
  return { config, layers };
}

/** A gzip stream of an empty archive; the content makes its bytes differ. */
function packLayer(content: string): Uint8Array {
  return gzipSync(packArchive(content));
}

function packArchive(content: string): Uint8Array {
  return Buffer.concat([Buffer.alloc(1024), Buffer.alloc(512, content)]);
}

function renderConfig(contents: readonly string[]): Uint8Array {
  return Buffer.from(
    JSON.stringify({
      architecture: "amd64",
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: contents.map((one) => digestBytes(packArchive(one))) },
      history: contents.map((created_by) => ({ created_by })),
    }),
  );
}
