import { XbuildError } from "../errors.ts";
import { type Environment, findRegistriesConf } from "../registry/registry.ts";
import { createCopyError } from "./failures.ts";
import { createWords } from "./last-words.ts";

export interface Call {
  /** The words behind the global options. */
  readonly words: readonly string[];
  /** Completes "cannot ...". */
  readonly what: string;
  /** What it sees of the environment, where registries are asked; else ours. */
  readonly env?: Environment | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds that it may take. Undefined: as long as it likes. */
  readonly timeout?: number | undefined;
  /** What it inherits as descriptor 3. */
  readonly fd?: number | undefined;
}

/**
 * Runs skopeo. @param hear gets what it prints. Errors: `copy-failed`, with its last words, which decide nothing: they
 * change with its version.
 */
export async function runSkopeo(
  { words, what, env, signal, timeout, fd }: Call,
  hear?: (chunk: Uint8Array) => void,
): Promise<void> {
  const { execa } = await import("execa");
  const printed = hear === undefined ? "ignore" : "pipe";
  const child = execa("skopeo", [...renderGlobal(env), ...words], {
    reject: false,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- execa's types know small numbers alone
    stdio: ["ignore", printed, "pipe", (fd as 3 | undefined) ?? "ignore"],
    encoding: "buffer",
    buffer: false,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
    ...(timeout === undefined ? {} : { timeout }),
    forceKillAfterDelay: 5000,
    ...(env === undefined ? {} : { env }),
  });
  const heard = createWords();
  if (hear !== undefined) child.stdout?.on("data", hear);
  child.stderr.setEncoding("utf8").on("data", heard.add);
  const result = await child;
  signal?.throwIfAborted();
  if (result.code === "ENOENT") throw notInstalled();
  if (result.timedOut) throw createCopyError(what, `skopeo takes longer than ${timeout} ms`);
  if (result.exitCode !== 0) throw createCopyError(what, heard.last());
}

/** buildah and podman read these variables; skopeo has an option instead. */
function renderGlobal(env: Environment | undefined): readonly string[] {
  const file = env && findRegistriesConf(env);
  return file === undefined ? [] : [`--registries-conf=${file}`];
}

function notInstalled(): XbuildError {
  return new XbuildError("copy-failed", "skopeo is not installed", {
    hint: "install it (Debian: apt-get install skopeo), or build with --no-load, into the store alone",
  });
}
