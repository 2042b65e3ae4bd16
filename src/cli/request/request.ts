import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { BuildRequest, EngineFlags } from "../../pipeline/pipeline.ts";
import type { Engine, PullPolicy } from "../../engine/engine.ts";
import { parseImageName } from "../../oci/oci.ts";
import { isRegistry } from "../../copy/copy.ts";
import { usageError, type GivenFlag } from "../line/arguments.ts";
import type { FlagRole } from "../line/build-flags.ts";
import {
  hostPlatform,
  isSet,
  lastValue,
  listValues,
  type BuildCommandLine,
} from "../line/build-line.ts";
import { parseDestination } from "./destination.ts";
import type { CliIo } from "../io.ts";
import { findIgnoreFile } from "./locate.ts";
import type { Parsed } from "./parsed.ts";
import { parseRegistries } from "./registries.ts";
import { assertEngineWords } from "./engine-words.ts";
import { parseCount, parseSize, splitPair } from "../line/values.ts";

/** Everything that a command line asks for, checked. @throws XbuildError `usage`, `name-invalid`, `file-not-found` */
export async function createRequest(
  line: BuildCommandLine,
  { containerfile, sources, given }: Pick<Parsed, "containerfile" | "sources" | "given">,
  engine: Engine,
  io: CliIo,
): Promise<BuildRequest> {
  refuseFlags(line);
  assertEngineWords(line.rest);
  const names = listValues(line, "tag").map((text) => parseImageName(text));
  const registries = await parseRegistries(line, names, io);
  const destinations = listValues(line, "output")
    .filter((text) => !isRegistry(text))
    .map((text) => parseDestination(text, io.cwd));
  if (destinations.length > 0) (await import("./places.ts")).assertPlaces(destinations);
  return {
    containerfile,
    context: sources.context,
    ignoreFile: await findIgnoreFile(
      lastValue(line, "ignorefile"),
      sources.file,
      sources.context,
      io.cwd,
    ),
    names,
    target: lastValue(line, "target"),
    ...given,
    buildContexts: new Map(
      listValues(line, "build-context").map((word) => parseContext(word, io.cwd)),
    ),
    platform: parsePlatform(line),
    registryPlatform: splitPlatform(parsePlatform(line) ?? hostPlatform()),
    labels: new Map(listValues(line, "label").map((word) => parsePair(word))),
    annotations: Object.fromEntries(listValues(line, "annotation").map((word) => parsePair(word))),
    pull: parsePull(line),
    noCache: isSet(line, "no-cache"),
    ...parseTimes(line, given.buildArgs, io),
    format: parseFormat(line),
    destinations,
    load: wantsLoad(line, names.length, destinations.length + registries.pushes.length),
    ...registries,
    quiet: isSet(line, "quiet"),
    explain: isSet(line, "explain"),
    maxLayers: parseCount(lastValue(line, "max-layers") ?? "127", "--max-layers"),
    maxLayerSize: parseSize(lastValue(line, "max-layer-size") ?? "10g", "--max-layer-size"),
    allowDevices: isSet(line, "allow-devices"),
    flags: listEngineFlags(line, engine),
    storeDirectory: findStoreDirectory(io),
    // esbuild puts every chunk into dist/, where scripts/build.mjs puts bin/.
    helperDirectory: fileURLToPath(new URL("bin", import.meta.url)),
  };
}

/** `$XBUILD_STORE`, else `$XDG_DATA_HOME/xbuild`, else `~/.local/share/xbuild` (XDG base directories). */
export function findStoreDirectory(io: CliIo): string {
  const directory = findDirectory(io);
  if (!directory.includes(":")) return directory;
  const reason = `the store cannot be ${directory}: engines and skopeo do not accept a colon in a path`;
  throw usageError(reason, "set XBUILD_STORE to a directory without one");
}

function findDirectory(io: CliIo): string {
  const { XBUILD_STORE: store, XDG_DATA_HOME: data, HOME: home } = io.env;
  if (store) return resolve(io.cwd, store);
  if (data) return join(data, "xbuild");
  if (home) return join(home, ".local", "share", "xbuild");
  throw usageError(
    "no directory for the store is known: HOME is not set",
    "set XBUILD_STORE to a directory",
  );
}

function refuseFlags(line: BuildCommandLine): void {
  const refused = line.flags.find((one) => one.spec.role === "refused");
  if (refused === undefined) return;
  const { name } = refused.spec;
  const hints: Readonly<Record<string, string>> = {
    arch: "use --platform=OS/ARCH",
    os: "use --platform=OS/ARCH",
    variant: "use --platform=OS/ARCH/VARIANT",
    env: "write an ENV instruction after OUTPUT",
    squash: "leave it out: the build decides which layers there are",
    "squash-all": "leave it out: the build decides which layers there are",
    "cache-to":
      "use --push, for the pushed image is the cache, or --env-cache-to for the environment",
  };
  throw usageError(
    `--${name} cannot be used with OUTPUT`,
    hints[name] ?? "leave it out, or build a file without OUTPUT",
  );
}

/** The engine's storage is where an image goes that goes nowhere else. */
function wantsLoad(line: BuildCommandLine, names: number, others: number): boolean {
  if (!isSet(line, "load")) return names > 0 && others === 0 && !isSet(line, "no-load");
  if (isSet(line, "no-load")) throw usageError("--load and --no-load cannot be given together");
  if (names > 0) return true;
  throw usageError("--load needs a name for the image", "give it one with -t");
}

/** `os/arch[/variant]` in its parts. */
export function splitPlatform(text: string): BuildRequest["registryPlatform"] {
  const [os = "", architecture = "", variant] = text.split("/");
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}

function parsePlatform(line: BuildCommandLine): string | undefined {
  const values = listValues(line, "platform").flatMap((one) => one.split(","));
  if (values.length <= 1) return values[0];
  throw usageError(
    "only one platform can be built at a time with OUTPUT",
    "run xbuild once for each --platform",
  );
}

function parseContext(word: string, cwd: string): readonly [string, string] {
  const [name, value] = splitPair(word);
  if (value === undefined || value === "")
    throw usageError(`--build-context ${word} is not of the form NAME=VALUE`);
  return [name, value.includes("://") ? value : resolve(cwd, value)];
}

function parsePair(word: string): readonly [string, string] {
  const [name, value] = splitPair(word);
  return [name, value ?? ""];
}

function parsePull(line: BuildCommandLine): PullPolicy {
  const flag = line.flags.findLast((one) => one.spec.name.startsWith("pull"));
  if (flag === undefined) return "missing";
  if (flag.spec.name === "pull-always") return flag.value === "true" ? "always" : "missing";
  if (flag.spec.name === "pull-never") return flag.value === "true" ? "never" : "missing";
  const policies: Readonly<Record<string, PullPolicy>> = {
    "": "always",
    always: "always",
    true: "newer",
    newer: "newer",
    ifnewer: "newer",
    missing: "missing",
    ifmissing: "missing",
    false: "missing",
    never: "never",
  };
  const policy = policies[flag.value.toLowerCase()];
  if (policy !== undefined) return policy;
  throw usageError(`--pull cannot be ${flag.value}: use always, newer, missing or never`);
}

/** --timestamp, else SOURCE_DATE_EPOCH as a build argument, else in the environment. */
function parseTimes(
  line: BuildCommandLine,
  buildArgs: ReadonlyMap<string, string>,
  io: CliIo,
): Pick<BuildRequest, "epoch" | "timestamp"> {
  const flag = lastValue(line, "timestamp");
  const text = flag ?? buildArgs.get("SOURCE_DATE_EPOCH") ?? io.env["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return { epoch: undefined, timestamp: false };
  const what = flag === undefined ? "SOURCE_DATE_EPOCH" : "--timestamp";
  return { epoch: parseCount(text, what, 0), timestamp: flag !== undefined };
}

function parseFormat(line: BuildCommandLine): "oci" | "docker" {
  const format = lastValue(line, "format") ?? "oci";
  if (format === "oci" || format === "docker") return format;
  throw usageError(`--format cannot be ${format}: use oci or docker`);
}

/** Flags that a pull understands as well. */
const pullFlagNames = new Set(["authfile", "cert-dir", "creds", "decryption-key", "tls-verify"]);

function listEngineFlags(line: BuildCommandLine, engine: Engine): EngineFlags {
  // podman takes --runtime before its command: it is among the engine's options already.
  const known = line.flags.filter((one) => one.spec.name !== "runtime" || engine.name !== "podman");
  const ofRole = (role: FlagRole): readonly string[] =>
    known.filter((one) => one.spec.role === role).map(renderFlag);
  return {
    step: [...ofRole("step"), ...line.rest],
    access: ofRole("access"),
    cache: [...ofRole("cache"), ...listEnvironmentCaches(line)],
    pull: line.flags.filter((one) => pullFlagNames.has(one.spec.name)).map(renderFlag),
  };
}

/** buildah's own cache in a registry: it knows nothing of layers that a build chooses. */
function listEnvironmentCaches(line: BuildCommandLine): readonly string[] {
  return ["cache-from", "cache-to"].flatMap((name) =>
    listValues(line, `env-${name}`).map((value) => `--${name}=${value}`),
  );
}

function renderFlag(flag: GivenFlag): string {
  return `--${flag.spec.name}=${flag.value}`;
}
