import { setTimeout as sleep } from "node:timers/promises";
import { XbuildError } from "../errors.ts";
import type { TransportAccess } from "./access.ts";
import { classifyFailure, createFailure, isTransient } from "./failures.ts";
import { createWords } from "./last-words.ts";
import { watchTransfer } from "./progress.ts";
import { findRegistriesConf } from "../registry/registry.ts";

/** What all calls of skopeo have in common. */
export interface TransferOptions {
  /** How registries are reached; skopeo's own defaults and no second try without it. */
  readonly access?: TransportAccess;
  readonly signal?: AbortSignal;
  /** Told about twice a second how many bytes have been moved. */
  readonly onBytes?: (bytes: number) => void;
  /** So many bytes at most are written: whoever sends more would fill the disk, for skopeo compares sizes at the end. */
  readonly mostBytes?: number;
}

export interface Call extends TransferOptions {
  /** The words behind the global options. */
  readonly words: readonly string[];
  /** Completes "cannot ...". */
  readonly what: string;
  /** What skopeo inherits as descriptor 3. */
  readonly fd?: number | undefined;
  /** Where it writes what has no other place. */
  readonly directory?: string;
}

/**
 * Runs skopeo, again where it fails for a passing reason. @returns its standard output
 * @throws XbuildError `copy-failed`, `registry-*`, `policy-rejected`
 */
export async function runSkopeo(call: Call): Promise<Uint8Array> {
  const { access, signal } = call;
  for (let attempt = 0; ; attempt += 1) {
    const { output, message } = await runOnce(call);
    signal?.throwIfAborted();
    if (output !== undefined) return output;
    const isLast = attempt >= (access?.retries ?? 0) || !isTransient(classifyFailure(message));
    if (isLast) throw createFailure(call.what, message, access?.env);
    await sleep((access?.retryDelay ?? 1000) * 2 ** attempt, undefined, { signal }).catch(() => {});
    signal?.throwIfAborted();
  }
}

type RunOutcome =
  | { readonly output: Uint8Array; readonly message: "" }
  | { readonly output: undefined; readonly message: string };

async function runOnce(call: Call): Promise<RunOutcome> {
  const { execa } = await import("execa");
  const stalled = new AbortController();
  const excess = new AbortController();
  const signals = [
    stalled.signal,
    excess.signal,
    ...(call.signal === undefined ? [] : [call.signal]),
  ];
  const child = execa("skopeo", [...renderGlobal(call), ...call.words], {
    reject: false,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- execa's types know small numbers alone
    stdio: ["ignore", "pipe", "pipe", (call.fd as 3 | undefined) ?? "ignore"],
    encoding: "buffer",
    buffer: { stderr: false },
    // A manifest of hostile size ends here, and not in our memory.
    maxBuffer: { stdout: 32 * 1024 * 1024 },
    cancelSignal: AbortSignal.any(signals),
    forceKillAfterDelay: 5000,
    ...(call.access === undefined ? {} : { env: call.access.env }),
    ...(call.directory === undefined ? {} : { cwd: call.directory }),
  });
  const words = createWords();
  child.stderr.setEncoding("utf8").on("data", words.add);
  const endWatch = watch(child.pid, call, { stalled, excess });
  const result = await child.finally(endWatch);
  if (result.code === "ENOENT") throw notInstalled();
  if (result.isMaxBuffer) return { output: undefined, message: "the answer is larger than 32 MiB" };
  if (excess.signal.aborted) return { output: undefined, message: excessMessage };
  if (stalled.signal.aborted) return { output: undefined, message: describeStall(call) };
  if (result.exitCode === 0) return { output: new Uint8Array(result.stdout), message: "" };
  return { output: undefined, message: words.last() };
}

/** buildah and podman read these variables; skopeo has an option instead. */
function renderGlobal({ access }: TransferOptions): readonly string[] {
  const file = access && findRegistriesConf(access.env);
  return file === undefined ? [] : [`--registries-conf=${file}`];
}

const excessMessage = "the size does not match: more bytes come than the manifest says";

/** What ends a call that goes wrong without an end of its own. */
interface Stops {
  readonly stalled: AbortController;
  readonly excess: AbortController;
}

function watch(
  pid: number | undefined,
  { access, onBytes, mostBytes = Number.POSITIVE_INFINITY }: TransferOptions,
  { stalled, excess }: Stops,
): () => void {
  if (pid === undefined || access === undefined) return () => {};
  return watchTransfer(pid, {
    onBytes: (bytes) => {
      onBytes?.(bytes);
      if (bytes > mostBytes) excess.abort();
    },
    onStall: () => stalled.abort(),
    stallTimeout: access.timeout,
  });
}

function describeStall({ access }: TransferOptions): string {
  return `timed out: nothing came for ${Math.round((access?.timeout ?? 0) / 1000)} s`;
}

function notInstalled(): XbuildError {
  return new XbuildError("copy-failed", "skopeo is not installed", {
    hint: "install it (Debian: apt-get install skopeo), or build with --no-load, into the store alone",
  });
}
