import { renderAccess, type TransportAccess } from "./access.ts";
import { withCredentials } from "./auth-source.ts";
import { isRegistry } from "./reference.ts";
import { runSkopeo, type TransferOptions } from "./run-skopeo.ts";

export type { TransferOptions } from "./run-skopeo.ts";

export interface CopyOptions extends TransferOptions {
  readonly format?: "oci" | "v2s2";
  /** Layers that are compressed in another way are compressed anew with gzip. */
  readonly gzip?: boolean;
  /** Layers stay as they are, and manifests become OCI's where the destination has no other. */
  readonly keepLayers?: boolean;
  /** Completes "cannot ..." where that says more than the two ends do. */
  readonly what?: string;
  /** Which image of a list is meant. */
  readonly platform?: {
    readonly os: string;
    readonly architecture: string;
    readonly variant?: string;
  };
}

/**
 * Copies one image with skopeo, digests preserved unless another format is asked for. Both ends are
 * references as containers-transports(5) has them. The destination is whole or, for a storage or
 * a registry, as it was. What fails for a passing reason is tried again; blobs that have arrived stay.
 * The image's signatures are judged by the policy that is in force (containers-policy.json(5)).
 * @throws XbuildError `copy-failed`, `registry-*`, `policy-rejected`
 */
export async function copyImage(
  source: string,
  destination: string,
  options: CopyOptions = {},
): Promise<void> {
  const { access } = options;
  await withCredentials(access ?? noAccess, [source, destination], ({ path, fd }) => {
    const flags =
      access === undefined
        ? []
        : [
            ...(isRegistry(source) ? renderAccess(access, "src", path) : []),
            ...(isRegistry(destination) ? renderAccess(access, "dest", path) : []),
          ];
    const how = ["--quiet", ...flags, ...renderOptions(options), ...renderSignatures(destination)];
    const words = [...renderPlatform(options), "copy", ...how, source, destination];
    const what = options.what ?? describeCopy(source, destination);
    return runSkopeo({ ...options, words, what, fd });
  });
}

/**
 * What `skopeo inspect` says of an image in a registry: with `--raw` its manifest, byte for byte, with
 * `--config --raw` its config. It asks no policy. Errors: `registry-*`.
 */
export async function inspect(
  reference: string,
  what: readonly string[],
  { access, signal }: TransferOptions & { readonly access: TransportAccess },
): Promise<Uint8Array> {
  return withCredentials(access, [reference], ({ path, fd }) => {
    const words = ["inspect", ...renderAccess(access, undefined, path), ...what, reference];
    const call = { words, what: `read ${reference}`, access, fd };
    return runSkopeo(signal === undefined ? call : { ...call, signal });
  });
}

const noAccess: TransportAccess = { env: {}, retries: 0, timeout: 0 };

function describeCopy(source: string, destination: string): string {
  return isRegistry(source) ? `copy ${source}` : `copy to ${destination}`;
}

function renderPlatform({ platform }: CopyOptions): readonly string[] {
  if (platform === undefined) return [];
  const { os, architecture, variant } = platform;
  const words = [`--override-os=${os}`, `--override-arch=${architecture}`];
  return variant === undefined ? words : [...words, `--override-variant=${variant}`];
}

function renderOptions({ format, gzip, keepLayers }: CopyOptions): readonly string[] {
  if (gzip === true) return ["--dest-compress", "--dest-compress-format=gzip"];
  if (keepLayers === true) return ["--dest-oci-accept-uncompressed-layers"];
  return format === undefined ? ["--preserve-digests"] : [`--format=${format}`];
}

/** A layout has no place for signatures, and skopeo refuses to lose them unasked: a signed image would not come. */
function renderSignatures(destination: string): readonly string[] {
  return destination.startsWith("oci:") ? ["--remove-signatures"] : [];
}
