import { join } from "node:path";
import type { Image, WantedPlatform } from "../oci/oci.ts";
import { copyImage } from "./skopeo.ts";

/** An image of a layout, and the format that it shall have elsewhere. */
export interface FormattedSource {
  /** As skopeo reads it: `oci:DIR:NAME`. */
  readonly reference: string;
  /** Which image of an index is meant, where it is one. */
  readonly platform?: WantedPlatform | undefined;
  readonly image: Image;
  readonly format: "oci" | "docker";
  /** A private directory. */
  readonly scratch: string;
}

/** Copies an image as OCI or Docker has it; Docker's format has no zstd, so gzip stands in for it there. */
export async function copyAs(
  { reference, image, format, scratch, platform }: FormattedSource,
  destination: string,
  signal: AbortSignal,
): Promise<void> {
  const asked = platform === undefined ? {} : { platform };
  if (format === "oci") return copyImage(reference, destination, { ...asked, signal });
  if (!image.manifest.layers.some((layer) => layer.mediaType.endsWith("+zstd"))) {
    return copyImage(reference, destination, { ...asked, format: "v2s2", signal });
  }
  const gzipped = `oci:${join(scratch, "gzip")}:localhost/xbuild:latest`;
  await copyImage(reference, gzipped, { ...asked, gzip: true, signal });
  await copyImage(gzipped, destination, { format: "v2s2", signal });
}
