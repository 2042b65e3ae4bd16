import {
  parseReference,
  withRuntimeDirectory,
  type ImageReference,
  type TransportAccess,
} from "../../copy/copy.ts";
import { isLocalName, type ImageName } from "../../oci/oci.ts";
import type { CliIo } from "../io.ts";
import { usageError, type GivenFlags, lastValue } from "../line/arguments.ts";
import { parseCount, parseDuration } from "../line/values.ts";

/** How the registries are reached; the environment is skopeo's too. */
export function readAccess(line: GivenFlags, io: CliIo): TransportAccess {
  const last = (name: string): string | undefined => lastValue(line, name);
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
  return names.map(({ full, repository }) => {
    if (isLocalName(full)) {
      throw usageError(
        `--push: ${repository} does not name a registry`,
        `name it in full: -t REGISTRY/${repository}, or push it with -o docker://REGISTRY/${repository}`,
      );
    }
    return parseReference(full);
  });
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
