import { mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { XbuildError } from "../errors.ts";
import { type Descriptor, digestHex } from "../oci/oci.ts";
import { ifPresent } from "../system/errno.ts";
import { renderAccess, type TransportAccess } from "./access.ts";
import { withCredentials } from "./auth-source.ts";
import { isMissing } from "./failures.ts";
import { runSkopeo, type TransferOptions } from "./run-skopeo.ts";

/** So many digests stand on one command line. */
const width = 200;

export interface ExternalLayers {
  /** `docker://repository@digest` */
  readonly source: string;
  readonly layers: readonly Descriptor[];
}

/**
 * Brings layers that a manifest says to be at addresses of its own (`urls`) from the repository itself: a manifest
 * that may name addresses to be fetched from would reach farther than the reference that the user gave. skopeo copies
 * such layers from nowhere, and `skopeo layers` from the repository. image-spec v1.1, descriptor.md, "urls".
 * @param blobs the directory that they come to, each under the hex digits of its digest
 * Errors: `layer-external` where the repository does not have one, `registry-*`.
 */
export async function fetchExternalLayers(
  { source, layers }: ExternalLayers,
  blobs: string,
  options: TransferOptions & { readonly access: TransportAccess },
): Promise<void> {
  for (let at = 0; at < layers.length; at += width) {
    const directory = await mkdtemp(join(blobs, "layers-"));
    try {
      const some = layers.slice(at, at + width);
      await copyBlobs({ source, layers: some }, directory, options);
      await takeBlobs(directory, some, blobs);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }
}

async function copyBlobs(
  { source, layers }: ExternalLayers,
  directory: string,
  options: TransferOptions & { readonly access: TransportAccess },
): Promise<void> {
  const digests = layers.map(({ digest }) => digest);
  try {
    await withCredentials(options.access, [source], ({ path, fd }) => {
      const words = ["layers", ...renderAccess(options.access, undefined, path), source];
      const what = `read layers of ${source}`;
      return runSkopeo({ ...options, words: [...words, ...digests], what, fd, directory });
    });
  } catch (error) {
    if (!isMissing(error)) throw error;
    const names = `${digests[0] ?? ""}${digests.length > 1 ? ` and ${digests.length - 1} more` : ""}`;
    const message = `${source} does not have its layer ${names}, but only names other addresses for it`;
    const hint = "push the image to a registry that takes it, or build without --input=all";
    throw new XbuildError("layer-external", message, { hint, cause: error });
  }
}

/** skopeo makes a directory of its own, where each blob has the name that its content gives it. */
async function takeBlobs(
  directory: string,
  layers: readonly Descriptor[],
  blobs: string,
): Promise<void> {
  const [copied = ""] = await readdir(directory);
  for (const { digest } of layers) {
    const hex = digestHex(digest);
    await ifPresent(rename(join(directory, copied, hex), join(blobs, hex)));
  }
}
