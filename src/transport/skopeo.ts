import { XbuildError } from "../errors.ts";

/** What tells of a copy's progress, as skopeo prints it, and what stops it. */
export interface CopyOptions {
  readonly format?: "oci" | "v2s2";
  /** Layers that are compressed in another way are compressed anew with gzip. */
  readonly gzip?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * Copies one image with skopeo, digests preserved unless another format is asked for. Both ends are
 * references as containers-transports(5) has them. The destination is whole or, for a storage or
 * a registry, as it was.
 * @throws XbuildError `copy-failed`
 */
export async function copyImage(
  source: string,
  destination: string,
  options: CopyOptions = {},
): Promise<void> {
  const { execa } = await import("execa");
  const words = ["copy", "--quiet", ...renderOptions(options), source, destination];
  const result = await execa("skopeo", words, {
    reject: false,
    stdin: "ignore",
    ...(options.signal === undefined
      ? {}
      : { cancelSignal: options.signal, forceKillAfterDelay: 5000 }),
  });
  options.signal?.throwIfAborted();
  if (result.exitCode === 0) return;
  if (result.code === "ENOENT") throw notInstalled();
  throw new XbuildError(
    "copy-failed",
    `cannot copy to ${destination}: ${lastWords(result.stderr)}`,
    {
      hint: "the image is in the store; see skopeo's message",
    },
  );
}

function renderOptions({ format, gzip }: CopyOptions): readonly string[] {
  if (gzip === true) return ["--dest-compress", "--dest-compress-format=gzip"];
  return format === undefined ? ["--preserve-digests"] : [`--format=${format}`];
}

function notInstalled(): XbuildError {
  return new XbuildError("copy-failed", "skopeo is not installed", {
    hint: "install it (Debian: apt-get install skopeo); --no-load builds into the store without it",
  });
}

/** skopeo's fatal message, without logrus's framing. */
function lastWords(stderr: string): string {
  const line = stderr.trim().split("\n").at(-1) ?? "";
  const message = /msg="((?:[^"\\]|\\.)*)"/.exec(line)?.[1];
  return message?.replace(/\\(.)/g, "$1") ?? line;
}
