import { setTimeout as sleep } from "node:timers/promises";
import { XbuildError } from "../errors.ts";
import { isRegistry, renderAccess, withAuthFile, type TransportAccess } from "./access.ts";
import { classifyFailure, createFailure, isTransient, lastWords } from "./failures.ts";
import { watchTransfer } from "./progress.ts";

/** What all calls of skopeo have in common. */
export interface TransferOptions {
  /** How registries are reached; skopeo's own defaults and no second try without it. */
  readonly access?: TransportAccess;
  readonly signal?: AbortSignal;
  /** Told about twice a second how many bytes have been moved. */
  readonly onBytes?: (bytes: number) => void;
}

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
 * @throws XbuildError `copy-failed`, `registry-*`
 */
export async function copyImage(
  source: string,
  destination: string,
  options: CopyOptions = {},
): Promise<void> {
  const { access } = options;
  await withAuthFile(access ?? noAccess, [source, destination], (authFile) => {
    const flags =
      access === undefined
        ? []
        : [
            ...(isRegistry(source) ? renderAccess(access, "src", authFile) : []),
            ...(isRegistry(destination) ? renderAccess(access, "dest", authFile) : []),
          ];
    const how = ["--quiet", ...flags, ...renderOptions(options)];
    const words = [...renderPlatform(options), "copy", ...how, source, destination];
    return runSkopeo(words, options.what ?? describeCopy(source, destination), options);
  });
}

/**
 * What `skopeo inspect` says of an image in a registry: with `--raw` its manifest, byte for byte, with
 * `--config --raw` its config. Errors: `registry-*`.
 */
export async function inspect(
  reference: string,
  what: readonly string[],
  options: TransferOptions & { readonly access: TransportAccess },
): Promise<Uint8Array> {
  const { access, signal } = options;
  return withAuthFile(access, [reference], (authFile) => {
    const words = ["inspect", ...renderAccess(access, undefined, authFile), ...what, reference];
    return runSkopeo(words, `read ${reference}`, { access, ...(signal && { signal }) });
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

/**
 * Runs skopeo, again where it fails for a passing reason. @returns its standard output
 * @param what completes "cannot ..."
 * @throws XbuildError `copy-failed`, `registry-*`
 */
async function runSkopeo(
  words: readonly string[],
  what: string,
  options: TransferOptions,
): Promise<Uint8Array> {
  const { access, signal } = options;
  for (let attempt = 0; ; attempt += 1) {
    const { output, message } = await runOnce(words, options);
    signal?.throwIfAborted();
    if (output !== undefined) return output;
    const isLast = attempt >= (access?.retries ?? 0) || !isTransient(classifyFailure(message));
    if (isLast) throw createFailure(what, message);
    await sleep((access?.retryDelay ?? 1000) * 2 ** attempt, undefined, { signal }).catch(() => {});
    signal?.throwIfAborted();
  }
}

type RunOutcome =
  | { readonly output: Uint8Array; readonly message: "" }
  | { readonly output: undefined; readonly message: string };

async function runOnce(words: readonly string[], options: TransferOptions): Promise<RunOutcome> {
  const { execa } = await import("execa");
  const stalled = new AbortController();
  const signals = [stalled.signal, ...(options.signal === undefined ? [] : [options.signal])];
  const child = execa("skopeo", [...renderGlobal(options), ...words], {
    reject: false,
    stdin: "ignore",
    encoding: "buffer",
    // A manifest of hostile size ends here, and not in our memory.
    maxBuffer: { stdout: 32 * 1024 * 1024, stderr: 1024 * 1024 },
    cancelSignal: AbortSignal.any(signals),
    forceKillAfterDelay: 5000,
    ...(options.access === undefined ? {} : { env: options.access.env }),
  });
  const endWatch = watch(child.pid, options, () => stalled.abort());
  const result = await child.finally(endWatch);
  if (result.code === "ENOENT") throw notInstalled();
  if (result.isMaxBuffer) return { output: undefined, message: "the answer is larger than 32 MiB" };
  if (stalled.signal.aborted) return { output: undefined, message: describeStall(options) };
  if (result.exitCode === 0) return { output: new Uint8Array(result.stdout), message: "" };
  return { output: undefined, message: lastWords(Buffer.from(result.stderr).toString("utf8")) };
}

/** buildah and podman read this variable; skopeo has an option instead. */
function renderGlobal({ access }: TransferOptions): readonly string[] {
  const file = access?.env["CONTAINERS_REGISTRIES_CONF"];
  return file === undefined || file === "" ? [] : [`--registries-conf=${file}`];
}

function watch(
  pid: number | undefined,
  { access, onBytes }: TransferOptions,
  onStall: () => void,
): () => void {
  if (pid === undefined || access === undefined) return () => {};
  const progress = onBytes === undefined ? {} : { onBytes };
  return watchTransfer(pid, { ...progress, onStall, stallTimeout: access.timeout });
}

function describeStall({ access }: TransferOptions): string {
  return `timed out: nothing came for ${Math.round((access?.timeout ?? 0) / 1000)} s`;
}

function notInstalled(): XbuildError {
  return new XbuildError("copy-failed", "skopeo is not installed", {
    hint: "install it (Debian: apt-get install skopeo); --no-load builds into the store without it",
  });
}
