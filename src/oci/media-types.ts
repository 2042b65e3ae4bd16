/** image-spec v1.1, media-types.md. */
export const ociManifestType = "application/vnd.oci.image.manifest.v1+json";
export const ociIndexType = "application/vnd.oci.image.index.v1+json";
export const ociConfigType = "application/vnd.oci.image.config.v1+json";
export const ociLayerType = "application/vnd.oci.image.layer.v1.tar";

/** Docker's image manifest version 2, schema 2. */
const dockerManifestType = "application/vnd.docker.distribution.manifest.v2+json";
const dockerListType = "application/vnd.docker.distribution.manifest.list.v2+json";

const ociForeignLayerType = "application/vnd.oci.image.layer.nondistributable.v1.tar";
const dockerLayerType = "application/vnd.docker.image.rootfs.diff.tar";
const dockerForeignLayerType = "application/vnd.docker.image.rootfs.foreign.diff.tar";

const suffixes = {
  gzip: { oci: "+gzip", docker: ".gzip" },
  zstd: { oci: "+zstd", docker: ".zstd" },
};

const ociTypes: ReadonlyMap<string, string> = new Map([
  [dockerManifestType, ociManifestType],
  [dockerListType, ociIndexType],
  ["application/vnd.docker.container.image.v1+json", ociConfigType],
  ...layerPairs(dockerLayerType, ociLayerType),
  ...layerPairs(dockerForeignLayerType, ociForeignLayerType),
]);

const compressions: ReadonlyMap<string, "gzip" | "zstd" | "none"> = new Map(
  [ociLayerType, ociForeignLayerType].flatMap((type) => [
    [type, "none"] as const,
    [type + suffixes.gzip.oci, "gzip"] as const,
    [type + suffixes.zstd.oci, "zstd"] as const,
  ]),
);

/** The OCI media type of the same bytes for one of Docker's; every other type as it is. */
export function toOciMediaType(type: string): string {
  return ociTypes.get(type) ?? type;
}

/**
 * How a layer of this media type (OCI's or Docker's, nondistributable ones too) is compressed;
 * undefined for everything that is no such layer, encrypted ones among them.
 */
export function compressionOf(mediaType: string): "gzip" | "zstd" | "none" | undefined {
  return compressions.get(toOciMediaType(mediaType));
}

/** Whether this is a manifest of the forms before Docker's schema 2, which name no config. */
export function isSchema1Type(mediaType: string): boolean {
  return /^application\/vnd\.docker\.distribution\.manifest\.v1\+(json|prettyjws)$/.test(mediaType);
}

/** Whether a layer is encrypted: its type carries the suffix of the ocicrypt specification. */
export function isEncryptedType(mediaType: string): boolean {
  return mediaType.endsWith("+encrypted");
}

function layerPairs(docker: string, oci: string): [string, string][] {
  const compressed = Object.values(suffixes).map((suffix): [string, string] => [
    docker + suffix.docker,
    oci + suffix.oci,
  ]);
  return [[docker, oci], ...compressed];
}
