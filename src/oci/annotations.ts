/** Annotations under this prefix are ours to write: a build may set none of them. */
export const ownAnnotationPrefix = "io.xbuild.";

/** On a layer's descriptor, in memory: the fingerprint of its content, with the version of the algorithm. */
export const fingerprintAnnotation = "io.xbuild.layer.fingerprint";

/** The same, where another tool has written the layer: the diff ID of its canonical archive (`layer-key.ts`). */
export const canonicalAnnotation = "io.xbuild.layer.canonical";

/** On the manifest: the fingerprints of all layers, in their order (`fingerprints.ts`). */
export const fingerprintsAnnotation = "io.xbuild.layer.fingerprints";

/** On the manifest: the hashed key of everything that the image depends on. */
export const keyAnnotation = "io.xbuild.key";

/** On a descriptor in an index: the image's name. image-spec v1.1, annotations.md. */
export const refNameAnnotation = "org.opencontainers.image.ref.name";

/** On the manifest: the image that its lowest layers are of, and the digest of that image's manifest or index. */
export const baseNameAnnotation = "org.opencontainers.image.base.name";
export const baseDigestAnnotation = "org.opencontainers.image.base.digest";

/** The label that tells steps apart in the engine's storage alone: no image of ours has it. */
export const inputsLabel = "io.xbuild.inputs";
