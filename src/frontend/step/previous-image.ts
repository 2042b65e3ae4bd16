import type { PreviousImage } from "../../layers/layers.ts";
import {
  type Digest,
  encodeJson,
  type Image,
  type Manifest,
  ociConfigType,
  ociLayerType,
  ociManifestType,
  parseConfig,
  digestBytes,
} from "../../oci/oci.ts";

/** An image as BuildKit tells of it: its config, and no manifest. */
export interface KnownImage {
  readonly reference: string;
  /** Of its manifest, or of the index that it is in. */
  readonly digest: Digest;
  readonly config: Uint8Array;
}

/**
 * The same as an image whose layers a build may keep: for the digests of its layers, which nobody tells, stand their diff
 * IDs. Errors: `image-invalid`.
 */
export function describePrevious({ reference, digest, config: bytes }: KnownImage): PreviousImage {
  return {
    reference,
    image: describeKnown({ reference, digest, config: bytes }),
    origin: "named",
    isDestination: false,
    trusted: true,
    isByDiffId: true,
    withheld: new Set(),
    locations: [],
    files: new Map(),
  };
}

export function describeKnown({ digest, config: configBytes }: KnownImage): Image {
  const config = parseConfig(configBytes);
  const layers = config.rootfs.diff_ids.map((diffId) => ({
    mediaType: ociLayerType,
    digest: diffId,
    size: 0,
  }));
  const described = {
    mediaType: ociConfigType,
    digest: digestBytes(configBytes),
    size: configBytes.byteLength,
  };
  const manifest: Manifest = {
    schemaVersion: 2,
    mediaType: ociManifestType,
    config: described,
    layers,
  };
  return { digest, manifest, manifestBytes: encodeJson(manifest), config, configBytes };
}
