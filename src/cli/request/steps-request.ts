import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { isatty } from "node:tty";
import type { EngineFlags, PullPolicy, StepsRequest } from "../../engine/engine.ts";
import { exitStatuses, XbuildError } from "../../errors.ts";
import type { ImageName } from "../../oci/oci.ts";
import type { CliIo } from "../io.ts";
import { isSet, lastValue, listValues, usageError, type GivenFlag } from "../line/arguments.ts";
import type { FlagRole } from "../line/build-flags.ts";
import type { BuildCommandLine } from "../line/build-line.ts";
import { isRemoteContext } from "./locate.ts";
import { readProgress } from "../line/progress.ts";
import { parseCount, refuseValue, splitPair } from "../line/values.ts";
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
  const { context, identity, fetched } = sources;
  const ignoreFile = lastValue(line, "ignorefile");
  assertSecrets(line, io);
  const named = await readContexts(line, io);
  return {
    context,
    ignoreFile: await findIgnoreFile(ignoreFile, sources, io.cwd),
    buildContexts: new Map(named.map(({ name, value }) => [name, value])),
    buildArgs: given.buildArgs,
    hiddenArgs: given.hiddenArgs,
    platform: findPlatform(line),
    ...parseTimes(line, given.buildArgs, io),
    pull: parsePull(line),
    noCache: isSet(line, "no-cache"),
    quiet: readProgress(line, io) === "quiet",
    onError: parseOnError(line, engine),
    flags: listEngineFlags(line, engine),
    cacheKey: names[0]?.full ?? identity,
    passing: new Set([
      ...(fetched === undefined ? [] : [context]),
      ...named.filter((one) => one.isFetched).map(({ value }) => value),
    ]),
  };
}

/** The engines refuse it likewise, in words of theirs. */
function assertSecrets(line: BuildCommandLine, { cwd }: CliIo): void {
  for (const value of listValues(line, "secret")) {
    const fields = new Map(value.split(",").map((field) => splitPair(field.trim())));
    const path = fields.get("src") ?? fields.get("source");
    if (path === undefined || fields.get("type") === "env" || existsSync(resolve(cwd, path)))
      continue;
    const message = `the file of the secret ${fields.get("id") ?? ""}, ${path}, does not exist`;
    throw new XbuildError("file-not-found", message, {
      hint: "check the path behind src=",
      exitStatus: exitStatuses.usage,
    });
  }
}

interface NamedContext {
  readonly name: string;
  /** A directory, an absolute path; or an image, as the engine has it. */
  readonly value: string;
  readonly isFetched: boolean;
}

/** Those of URLs and repositories are fetched, so that their content is known. */
async function readContexts(line: BuildCommandLine, io: CliIo): Promise<readonly NamedContext[]> {
  const found: NamedContext[] = [];
  for (const word of listValues(line, "build-context")) {
    const [name, value] = splitPair(word);
    if (value === undefined || value === "")
      throw usageError(`--build-context ${word} is not of the form NAME=VALUE`);
    if (value !== "-" && isRemoteContext(value)) {
      const { fetchContext } = await import("./fetch-context.ts");
      const { context } = await fetchContext(value, { progress: readProgress(line, io) }, io);
      found.push({ name, value: context, isFetched: true });
    } else {
      const path = value.includes("://") ? value : resolve(io.cwd, value);
      found.push({ name, value: path, isFetched: false });
    }
  }
  return found;
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
  throw refuseValue("--pull", flag.value, ["always", "newer", "missing", "never"]);
}

/** Errors: `usage`; for a shell that has no terminal, or whose words others would mix with. */
function parseOnError(
  line: BuildCommandLine,
  { isElsewhere }: RequestSources["engine"],
): StepsRequest["onError"] {
  const text = lastValue(line, "on-error") ?? "fail";
  if (text === "fail") return text;
  if (isElsewhere)
    throw usageError(
      "--on-error=shell: BuildKit keeps no container",
      "leave it out, or build with --engine buildah",
    );
  if (text !== "shell") throw usageError(`--on-error cannot be ${text}: use shell or fail`);
  if (!isatty(0)) {
    const hint =
      "leave it out where nobody is at a terminal; --keep-output DIR keeps what was written";
    throw usageError("--on-error=shell needs a terminal as standard input", hint);
  }
  if ((lastValue(line, "jobs") ?? "1") === "1") return text;
  throw usageError("--on-error=shell builds one image after another", "leave --jobs out");
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

function listEngineFlags(line: BuildCommandLine, engine: RequestSources["engine"]): EngineFlags {
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
