import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { digestBytes, digestHex } from "../../src/oci/digest.ts";
import { createTestLayer } from "./images.ts";

/** An image of an index as BuildKit writes it. */
export interface AttestedImage {
  readonly architecture: string;
  /** A layer each, with this name. */
  readonly layers: readonly string[];
}

export interface AttestedOptions {
  /** Whether the images' descriptors say their platform. */
  readonly platforms: boolean;
  readonly attestations: boolean;
}

const types = {
  index: "application/vnd.oci.image.index.v1+json",
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
};

interface Blob {
  readonly digest: string;
  readonly size: number;
}

/**
 * Writes a layout whose name `x` stands for an index of these images, each with what BuildKit says of it behind them.
 * https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
 */
export async function writeAttestedLayout(
  directory: string,
  images: readonly AttestedImage[],
  { platforms, attestations }: AttestedOptions,
): Promise<void> {
  const blobs = join(directory, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const put = async (bytes: Uint8Array): Promise<Blob> => {
    const digest = digestBytes(bytes);
    await writeFile(join(blobs, digestHex(digest)), bytes);
    return { digest, size: bytes.byteLength };
  };
  const putJson = (value: object): Promise<Blob> => put(Buffer.from(JSON.stringify(value)));
  const entries: object[] = [];
  const statements: object[] = [];
  for (const { architecture, layers } of images) {
    const made = await Promise.all(layers.map((one) => createTestLayer(one, one)));
    const config = await putJson({
      architecture,
      os: "linux",
      config: {},
      rootfs: { type: "layers", diff_ids: made.map((one) => one.diffId) },
      history: layers.map((name) => ({ created_by: name })),
    });
    const descriptors: object[] = [];
    for (const { bytes } of made) {
      descriptors.push({ mediaType: types.layer, ...(await put(bytes)) });
    }
    const manifest = await putJson({
      schemaVersion: 2,
      mediaType: types.manifest,
      config: { mediaType: types.config, ...config },
      layers: descriptors,
    });
    const platform = platforms ? { platform: { architecture, os: "linux" } } : {};
    entries.push({ mediaType: types.manifest, ...manifest, ...platform });
    statements.push(await putStatement(manifest, putJson));
  }
  const manifests = attestations ? [...entries, ...statements] : entries;
  const index = await putJson({ schemaVersion: 2, mediaType: types.index, manifests });
  const annotations = { "org.opencontainers.image.ref.name": "x" };
  const top = { mediaType: types.index, ...index, annotations };
  await writeFile(
    join(directory, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [top] }),
  );
  await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
}

/** An attestation manifest, as it stands in the index. */
async function putStatement(
  subject: Blob,
  putJson: (value: object) => Promise<Blob>,
): Promise<object> {
  const statement = await putJson({ _type: "https://in-toto.io/Statement/v0.1", of: subject });
  const config = await putJson({
    architecture: "unknown",
    os: "unknown",
    config: {},
    rootfs: { type: "layers", diff_ids: [statement.digest] },
  });
  const predicate = { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2" };
  const manifest = await putJson({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, ...config },
    layers: [{ mediaType: "application/vnd.in-toto+json", ...statement, annotations: predicate }],
  });
  return {
    mediaType: types.manifest,
    ...manifest,
    annotations: {
      "vnd.docker.reference.digest": subject.digest,
      "vnd.docker.reference.type": "attestation-manifest",
    },
    platform: { architecture: "unknown", os: "unknown" },
  };
}
