import { Code, ConnectError } from "@connectrpc/connect";
import { z } from "zod";
import { exitStatuses, XbuildError } from "../errors.ts";
import type { Diagnostic } from "../diagnostics.ts";
import { describeRelease, maxReleases, type Release, takeReleases } from "../layers/layers.ts";
import { type Digest, isDigest } from "../oci/oci.ts";
import type { Bridge } from "./gateway/connect.ts";
import type { CacheImport } from "./gateway/solve.ts";
import type { FrontendOptions } from "./options.ts";
import { withDiffIds } from "./diff-ids.ts";
import type { LayeredImage } from "./layer-sources.ts";
import { parseBuildKitPlatform } from "./platforms.ts";
import { describeKnown, type KnownImage } from "./step/previous-image.ts";

/** A build argument that names previous images, whatever the caches are: references with commas between them. */
const previousArgument = "build-arg:XBUILD_CACHE_FROM";

/** The same for earlier images of which steps hear. */
const historyArgument = "build-arg:XBUILD_HISTORY";

const importsSchema = z.array(
  z.object({
    Type: z.string(),
    Attrs: z.record(z.string(), z.string()).nullish(),
  }),
);

/** The caches that the client names, as BuildKit's own frontend reads them. BuildKit, `frontend/dockerui/config.go` */
export function listCacheImports({ given }: FrontendOptions): readonly CacheImport[] {
  const entries = importsSchema.parse(JSON.parse(given.get("cache-imports") ?? "[]"));
  const old = splitList(given.get("cache-from"));
  return [
    ...entries.map(({ Type: type, Attrs: attrs }) => ({ type, attrs: attrs ?? {} })),
    ...old.map((ref) => ({ type: "registry", attrs: { ref } })),
  ];
}

function splitList(text = ""): readonly string[] {
  return text.split(/[,\s]+/).filter((one) => one !== "");
}

/** Which images a build is told to look at, in their order: by its argument, else by the names of its caches. */
function listPreviousNames(options: FrontendOptions): readonly string[] {
  const argument = options.given.get(previousArgument);
  if (argument !== undefined) return [...new Set(splitList(argument))];
  const named = listCacheImports(options).flatMap(({ type, attrs: { ref } }) =>
    type === "registry" && ref !== undefined ? [ref] : [],
  );
  return [...new Set(named)];
}

/** An image of a registry, as BuildKit finds it. */
export interface FoundImage extends KnownImage {
  readonly layered: LayeredImage;
}

/**
 * Those of them that are there. One that is not is none; what else goes wrong is a warning, as BuildKit has it with caches
 * that it cannot read.
 */
export async function findPreviousImages(
  bridge: Bridge,
  { options, platform }: { readonly options: FrontendOptions; readonly platform: string },
  warn: (warning: Diagnostic) => Promise<void>,
): Promise<readonly FoundImage[]> {
  const found = listPreviousNames(options).map(async (name) => {
    try {
      return [await resolveImage(bridge, name, platform)];
    } catch (error) {
      if (!(error instanceof ConnectError)) throw error;
      if (!isAbsent(error)) await warn(describeUnread(name, error.rawMessage));
      return [];
    }
  });
  return takeReadable((await Promise.all(found)).flat(), warn);
}

/**
 * The earlier images of which steps hear, the oldest first: as --history names them, but for patterns, which BuildKit has no
 * way for. What cannot be read is a warning. Errors: `usage`
 */
export async function findReleases(
  bridge: Bridge,
  { options, platform }: { readonly options: FrontendOptions; readonly platform: string },
  warn: (warning: Diagnostic) => Promise<void>,
): Promise<readonly Release[]> {
  const names = [...new Set(splitList(options.given.get(historyArgument)))].slice(-maxReleases);
  const pattern = names.find((one) => /[*?[\]]/.test(one));
  if (pattern !== undefined)
    throw new XbuildError("usage", `XBUILD_HISTORY=${pattern}: BuildKit lists no tags`, {
      hint: "name the images, with commas between them",
      exitStatus: exitStatuses.usage,
    });
  const found = await Promise.all(
    names.map((name) => tryRelease(bridge, { name, platform }, warn)),
  );
  return takeReleases(found.flat()).releases;
}

async function tryRelease(
  bridge: Bridge,
  { name, platform }: { readonly name: string; readonly platform: string },
  warn: (warning: Diagnostic) => Promise<void>,
): Promise<readonly Release[]> {
  try {
    return [describeRelease(describeKnown(await resolveImage(bridge, name, platform)), name)];
  } catch (error) {
    if (!(error instanceof ConnectError) && !(error instanceof XbuildError)) throw error;
    const fault = error instanceof ConnectError ? error.rawMessage : error.message;
    await warn({
      code: "history-unreadable",
      severity: "warning",
      message: `XBUILD_HISTORY: ${name} cannot be read: ${fault}; the plan is made without`,
      hint: "name images that can be read",
    });
    return [];
  }
}

/** Bytes of the configs together: they are a part of what a step is asked. */
const maxConfigs = 8 * 1024 * 1024;

async function takeReadable(
  images: readonly FoundImage[],
  warn: (warning: Diagnostic) => Promise<void>,
): Promise<readonly FoundImage[]> {
  const taken: FoundImage[] = [];
  let size = 0;
  for (const image of images) {
    size += image.config.byteLength;
    const fault = size > maxConfigs ? "its config and those before it are too large" : judge(image);
    if (fault === undefined) taken.push(image);
    else await warn(describeUnread(image.reference, fault));
  }
  return taken;
}

/** Why a config cannot be made an image of; BuildKit itself reads the times. */
function judge(image: FoundImage): string | undefined {
  try {
    const { config } = describeKnown(image);
    const times = [config, ...(config.history ?? [])].flatMap(({ created }) => created ?? []);
    const odd = times.find((one) => !isTime(one));
    return odd === undefined ? undefined : `it has a time that is none: ${odd}`;
  } catch (error) {
    if (error instanceof XbuildError) return error.message;
    throw error;
  }
}

/** RFC 3339, as Go reads it. */
function isTime(text: string): boolean {
  const pattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,30})?(?:Z|[+-]\d\d:\d\d)$/;
  return pattern.test(text) && !Number.isNaN(Date.parse(text));
}

async function resolveImage(bridge: Bridge, name: string, text: string): Promise<FoundImage> {
  const platform = parseBuildKitPlatform(text);
  const logName = `[layers] look for the previous image ${name}`;
  const { digest, config, ref } = await bridge.resolveImageConfig({
    ref: withTag(name),
    platform,
    // Of another day's tag nothing could be told but that it was another day's.
    resolveMode: "pull",
    logName,
  });
  if (!isDigest(digest)) throw new RangeError("an image has a digest");
  const reference = withDigest(ref === "" ? withTag(name) : ref, digest);
  const identifier = `docker-image://${reference}`;
  return {
    reference,
    digest,
    config: withDiffIds(config),
    layered: { identifier, attrs: {}, platform },
  };
}

/** distribution's reference, `normalize.go` */
function withTag(name: string): string {
  const [first = "", ...rest] = name.split("/");
  const hasHost = rest.length > 0 && (/[.:]/.test(first) || first === "localhost");
  const full = hasHost ? name : `docker.io/${rest.length === 0 ? "library/" : ""}${name}`;
  const end = full.lastIndexOf("/");
  return full.includes(":", end) || full.includes("@", end) ? full : `${full}:latest`;
}

function withDigest(reference: string, digest: Digest): string {
  return `${reference.split("@", 1)[0]}@${digest}`;
}

/**
 * Registries say it by a status, which BuildKit hands on as a code or as words of its own; and a cache is no image.
 * containerd, `remotes/docker`; BuildKit, `cache/remotecache/v1`
 */
function isAbsent({ code, rawMessage }: ConnectError): boolean {
  return (
    code === Code.NotFound ||
    rawMessage.endsWith(": not found") ||
    rawMessage.includes("application/vnd.buildkit.cacheconfig.")
  );
}

function describeUnread(name: string, fault: string): Diagnostic {
  return {
    code: "previous-unreadable",
    severity: "warning",
    message: `the previous image ${name} cannot be read: ${fault}`,
    hint: "all layers are made anew; name an image that can be read in cache-from",
  };
}
