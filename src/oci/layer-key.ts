import { canonicalAnnotation } from "./annotations.ts";
import { digestHex, isDigest } from "./digest.ts";
import { annotateFingerprint } from "./layer-fingerprint.ts";
import type { Annotations, Digest, ImageConfig } from "./model.ts";

/**
 * A key of an image's config where another tool writes the layers and the manifest: BuildKit keeps keys that it does not
 * know, and drops annotations. As its own inline cache does.
 */
export const layersKey = "io.xbuild.layers";

/** What a layer's content is known by. */
export interface LayerContent {
  /** Hex, of 128 bits: that of `layer-fingerprint.ts`. */
  readonly fingerprint: string;
  /** Of the canonical archive: the tool has written another one of the same files. */
  readonly canonical: Digest;
}

const prefix = "v1:";
const [fingerprintSize, digestSize] = [16, 32];
const size = fingerprintSize + digestSize;

/** The key's value for the layers of an image, in their order; undefined for one of which nothing is known. */
export function packContents(layers: readonly (LayerContent | undefined)[]): string {
  const bytes = layers.map((one) =>
    one === undefined
      ? Buffer.alloc(size)
      : Buffer.from(one.fingerprint + digestHex(one.canonical), "hex"),
  );
  return prefix + Buffer.concat(bytes).toString("base64url");
}

/** Annotations, in memory, of the layers of an image whose config says what their content is; else none. */
export function unpackContents(config: ImageConfig): readonly (Annotations | undefined)[] {
  const text: unknown = Reflect.get(config, layersKey);
  if (typeof text !== "string" || !text.startsWith(prefix)) return [];
  const bytes = Buffer.from(text.slice(prefix.length), "base64url");
  const count = config.rootfs.diff_ids.length;
  // Somebody else changed the layers and left the key.
  if (bytes.length !== count * size) return [];
  return config.rootfs.diff_ids.map((_, index) => {
    const own = bytes.subarray(index * size, (index + 1) * size).toString("hex");
    if (/^0*$/.test(own)) return undefined;
    return annotateContent({
      fingerprint: own.slice(0, fingerprintSize * 2),
      canonical: `sha256:${own.slice(fingerprintSize * 2)}`,
    });
  });
}

/** What says so in memory of a layer. */
export function annotateContent({ fingerprint, canonical }: LayerContent): Annotations {
  return { ...annotateFingerprint(fingerprint), [canonicalAnnotation]: canonical };
}

/** The diff ID of a layer's canonical archive, where it is another one than the layer's own. */
export function readCanonical(annotations: Annotations | undefined): Digest | undefined {
  const value = annotations?.[canonicalAnnotation];
  return value !== undefined && isDigest(value) ? value : undefined;
}
