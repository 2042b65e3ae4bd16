import { resolve } from "node:path";
import type { Engine, EngineFlags, PullPolicy, StepsRequest } from "../../engine/engine.ts";
import type { ImageName } from "../../oci/oci.ts";
import type { CliIo } from "../io.ts";
import { isSet, lastValue, listValues, usageError, type GivenFlag } from "../line/arguments.ts";
import type { FlagRole } from "../line/build-flags.ts";
import type { BuildCommandLine } from "../line/build-line.ts";
import { readProgress } from "../line/progress.ts";
import { parseCount, splitPair } from "../line/values.ts";
import { findIgnoreFile } from "./ignore-file.ts";
import { findPlatform } from "./platform.ts";
import type { RequestSources } from "./request.ts";

/** What a command line says of how the steps run. Errors: `usage`, `file-not-found`. */
export async function createStepsRequest(
  line: BuildCommandLine,
  { parsed, engine, names }: RequestSources & { readonly names: readonly ImageName[] },
  io: CliIo,
): Promise<StepsRequest> {
  const { sources, given } = parsed;
  const { context } = sources;
  const ignoreFile = lastValue(line, "ignorefile");
  return {
    context,
    ignoreFile: await findIgnoreFile(ignoreFile, sources, io.cwd),
    buildContexts: new Map(
      listValues(line, "build-context").map((word) => parseContext(word, io.cwd)),
    ),
    buildArgs: given.buildArgs,
    hiddenArgs: given.hiddenArgs,
    platform: findPlatform(line),
    ...parseTimes(line, given.buildArgs, io),
    pull: parsePull(line),
    noCache: isSet(line, "no-cache"),
    quiet: readProgress(line, io) === "quiet",
    flags: listEngineFlags(line, engine),
    cacheKey: names[0]?.full ?? context,
  };
}

function parseContext(word: string, cwd: string): readonly [string, string] {
  const [name, value] = splitPair(word);
  if (value === undefined || value === "")
    throw usageError(`--build-context ${word} is not of the form NAME=VALUE`);
  return [name, value.includes("://") ? value : resolve(cwd, value)];
}

/** Of several flags the last counts. Errors: `usage` */
export function parsePull(line: BuildCommandLine): PullPolicy {
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
): Pick<StepsRequest, "epoch" | "timestamp"> {
  const flag = lastValue(line, "timestamp");
  const text = flag ?? buildArgs.get("SOURCE_DATE_EPOCH") ?? io.env["SOURCE_DATE_EPOCH"];
  if (text === undefined || text === "") return { epoch: undefined, timestamp: false };
  const what = flag === undefined ? "SOURCE_DATE_EPOCH" : "--timestamp";
  return { epoch: parseCount(text, what, 0), timestamp: flag !== undefined };
}

/** Flags that a pull understands as well. */
const pullFlagNames = new Set(["authfile", "cert-dir", "creds", "decryption-key", "tls-verify"]);

function listEngineFlags(line: BuildCommandLine, engine: Engine): EngineFlags {
  // Its own ones are among its options already.
  const known = line.flags.filter((one) => !engine.ownFlags.has(one.spec.name));
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
