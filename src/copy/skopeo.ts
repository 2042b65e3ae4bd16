import { maxDocumentSize, type WantedPlatform } from "../oci/oci.ts";
import { renderAccess, type TransportAccess } from "./access.ts";
import { withCredentials } from "./auth-source.ts";
import { runSkopeo } from "./run-skopeo.ts";

export interface CopyOptions {
  /** How the source's registry is reached, where it is in one. */
  readonly access?: TransportAccess;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that it may take; as long as it likes unless given. */
  readonly timeout?: number;
  readonly format?: "oci" | "v2s2";
  /** Layers that are compressed in another way are compressed anew with gzip. */
  readonly gzip?: boolean;
  /** Layers stay as they are, and manifests become OCI's where the destination has no other. */
  readonly keepLayers?: boolean;
  /** Of an index: all of its images, and the index itself. */
  readonly all?: boolean;
  /** Completes "cannot ..." where that says more than the two ends do. */
  readonly what?: string;
  /** Which image of a list is meant. */
  readonly platform?: WantedPlatform;
}

/**
 * Copies one image with skopeo, digests preserved unless another format is asked for. Both ends are
 * references as containers-transports(5) has them; the destination is on this machine. It is whole or, for a storage, as
 * it was. The image's signatures are judged by the policy that is in force (containers-policy.json(5)).
 * Errors: `copy-failed`.
 */
export async function copyImage(
  source: string,
  destination: string,
  options: CopyOptions = {},
): Promise<void> {
  const { access, signal, timeout, what = `copy to ${destination}` } = options;
  await withCredentials(access, source, ({ path, fd }) => {
    const flags = access === undefined ? [] : renderAccess(access, path);
    const all = options.all === true ? ["--all"] : [];
    const how = [
      "--quiet",
      ...all,
      ...flags,
      ...renderOptions(options),
      ...renderSignatures(destination),
    ];
    const words = [...renderPlatform(options), "copy", ...how, source, destination];
    return runSkopeo({ words, what, env: access?.env, timeout, signal, fd });
  });
}

/**
 * The config of an image on this machine, as it is stored there: it tells the image from any other. What is more than a
 * document may have is left out. Errors: `copy-failed`.
 */
export async function readConfig(source: string, options: InspectOptions): Promise<Uint8Array> {
  return inspect(["--raw", "--config", source], options);
}

/** The manifest of such an image, or the index that it is in, likewise. Errors: `copy-failed`. */
export async function readManifest(source: string, options: InspectOptions): Promise<Uint8Array> {
  return inspect(["--raw", source], options);
}

interface InspectOptions extends Pick<CopyOptions, "platform" | "signal"> {
  readonly what: string;
}

async function inspect(
  last: readonly string[],
  { what, platform, signal }: InspectOptions,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const hear = (chunk: Uint8Array): void => {
    size += chunk.byteLength;
    if (size <= maxDocumentSize) chunks.push(chunk);
  };
  const place = platform === undefined ? [] : renderPlatform({ platform });
  const words = [...place, "inspect", ...last];
  await runSkopeo({ words, what, signal }, hear);
  return Buffer.concat(chunks);
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
