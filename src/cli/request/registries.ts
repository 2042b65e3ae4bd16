import type { BuildRequest } from "../../pipeline/pipeline.ts";
import type { ImageName } from "../../oci/oci.ts";
import { isRegistry, type TransportAccess } from "../../copy/copy.ts";
import { parseReference, type ImageReference } from "../../copy/copy.ts";
import { withRuntimeDirectory } from "../../copy/copy.ts";
import { usageError, type CommandLine } from "../line/arguments.ts";
import { isSet, lastValue, listValues, type BuildCommandLine } from "../line/build-line.ts";
import type { CliIo } from "../io.ts";
import { parseCount, parseDuration } from "../line/values.ts";

type Registries = Pick<
  BuildRequest,
  "pushes" | "cacheFrom" | "ignoreCacheErrors" | "trustCache" | "input" | "access"
>;

/** What a command line says of registries. Errors: `usage`, `name-invalid`. */
export async function parseRegistries(
  line: BuildCommandLine,
  names: readonly ImageName[],
  io: CliIo,
): Promise<Registries> {
  const pushed = isSet(line, "push") ? listPushedNames(names) : [];
  const outputs = listValues(line, "output").filter(isRegistry);
  return {
    pushes: listUnique([...pushed, ...outputs.map((text) => parseReference(text))]),
    cacheFrom: await parseCacheFrom(line, io),
    ignoreCacheErrors: isSet(line, "ignore-cache-errors"),
    trustCache: parseTrust(lastValue(line, "trust-cache")),
    input: parseInput(lastValue(line, "input")),
    access: readAccess(line, io),
  };
}

/** How the registries are reached; the environment is skopeo's too. */
export function readAccess(line: Pick<CommandLine, "flags">, io: CliIo): TransportAccess {
  const last = (name: string): string | undefined =>
    line.flags.findLast((one) => one.spec.name === name)?.value;
  const tlsVerify = last("tls-verify");
  const delay = last("retry-delay");
  const [creds, authFile, certDir] = ["creds", "authfile", "cert-dir"].map(last);
  return {
    env: withRuntimeDirectory(io.env),
    retries: parseCount(last("retry") ?? "3", "--retry", 0),
    timeout:
      parseCount(io.env["XBUILD_REGISTRY_TIMEOUT"] ?? "120", "XBUILD_REGISTRY_TIMEOUT") * 1000,
    ...(delay === undefined ? {} : { retryDelay: parseDuration(delay, "--retry-delay") }),
    ...(tlsVerify === undefined ? {} : { tlsVerify: tlsVerify === "true" }),
    ...(creds === undefined ? {} : { creds }),
    ...(authFile === undefined ? {} : { authFile }),
    ...(certDir === undefined ? {} : { certDir }),
  };
}

/** Where names in full are pushed to. Errors: `usage` for one without a registry. */
export function listPushedNames(names: readonly ImageName[]): readonly ImageReference[] {
  if (names.length === 0) {
    throw usageError("--push needs a name for the image", "give it one with -t REGISTRY/NAME:TAG");
  }
  return names.map(({ full, registry, repository }) => {
    if (registry === "localhost") {
      throw usageError(
        `--push: ${repository} does not name a registry`,
        `name it in full: -t REGISTRY/${repository}, or push it with -o docker://REGISTRY/${repository}`,
      );
    }
    return parseReference(full);
  });
}

function listUnique(references: readonly ImageReference[]): readonly ImageReference[] {
  return [...new Map(references.map((one) => [one.text, one])).values()];
}

function parseCacheFrom(line: BuildCommandLine, io: CliIo): Promise<readonly ImageReference[]> {
  return parseReferences(listValues(line, "cache-from"), io);
}

/** References as users write them. A registry's configuration is read only where a name needs it. */
export async function parseReferences(
  values: readonly string[],
  io: CliIo,
): Promise<readonly ImageReference[]> {
  if (values.length === 0) return [];
  const { readRegistriesConf, resolveShortName } = await import("../../registry/registry.ts");
  const conf = await readRegistriesConf(io.env);
  const options = { resolveShortName: (name: string) => resolveShortName(conf, name) };
  return values.map((text) => parseReference(text, options));
}

function parseTrust(text = "named"): BuildRequest["trustCache"] {
  if (text === "none" || text === "named" || text === "all") return text;
  throw usageError(`--trust-cache cannot be ${text}: use none, named or all`);
}

function parseInput(text: string | undefined): BuildRequest["input"] {
  if (text === undefined || text === "local" || text === "all" || text === "none") return text;
  throw usageError(`--input cannot be ${text}: use local, all or none`);
}
