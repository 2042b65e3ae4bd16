import { XbuildError } from "../errors.ts";
import { type Digest, digestBytes } from "../oci/oci.ts";
import type { TransportAccess } from "./access.ts";
import type { ImageReference } from "./reference.ts";
import { copyImage, inspect, type TransferOptions } from "./skopeo.ts";

type PushOptions = TransferOptions & { readonly access: TransportAccess };

/** Whether a tag stands for this very manifest already. Where that cannot be found out: no. */
export async function isPushed(
  destination: ImageReference,
  digest: Digest,
  options: PushOptions,
): Promise<boolean> {
  try {
    return digestBytes(await inspect(destination.text, ["--raw"], options)) === digest;
  } catch (error) {
    if (error instanceof XbuildError) return false;
    throw error;
  }
}

/**
 * Pushes the one image of a layout (`oci:DIR:NAME`) as it is. Layers that the layout lacks must be in the
 * destination's repository. Errors: `registry-*`.
 * @returns the blobs that neither has; where there are some, the tag stays what it was
 */
export async function pushLayout(
  layout: string,
  destination: ImageReference,
  options: PushOptions,
): Promise<readonly Digest[]> {
  try {
    await copyImage(layout, destination.text, options);
    return [];
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    const missing = [...error.message.matchAll(/blobs\/sha256\/([0-9a-f]{64}): no such file/g)];
    if (missing.length === 0) throw error;
    return missing.map((match): Digest => `sha256:${match[1] ?? ""}`);
  }
}
