import { statSync } from "node:fs";
import {
  listRuntimeDirectories,
  parseReference,
  withRuntimeDirectory,
  type ImageReference,
  type TransportAccess,
} from "../../copy/copy.ts";
import { isLocalName, type ImageName } from "../../oci/oci.ts";
import type { CliIo } from "../io.ts";
import { type FlagSpec, usageError, type GivenFlags, lastValue } from "../line/arguments.ts";
import { parseCount, parseDuration } from "../line/values.ts";

/** The flags that `readAccess` reads, for commands that have not all of build's. */
export const accessFlags: readonly FlagSpec[] = [
  { name: "tls-verify", kind: "boolean" },
  { name: "creds", kind: "value" },
  { name: "authfile", kind: "value" },
  { name: "cert-dir", kind: "value" },
  { name: "retry", kind: "value" },
  { name: "retry-delay", kind: "value" },
];

/**
 * How the registries are reached; the environment is skopeo's too. Errors: `usage` for an auth file that is named and is
 * not there: what it was to open would be noticed after the build.
 */
export function readAccess(line: GivenFlags, io: CliIo): TransportAccess {
  const last = (name: string): string | undefined => lastValue(line, name);
  const tlsVerify = last("tls-verify");
  const delay = last("retry-delay");
  const [creds, authFile, certDir] = ["creds", "authfile", "cert-dir"].map(last);
  assertAuthFile(authFile, io);
  return {
    env: withRuntimeDirectory(io.env),
    runtimeDirectories: listRuntimeDirectories(io.env),
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

/** buildah and podman refuse it likewise, whether the flag or the variable names it. */
function assertAuthFile(flag: string | undefined, { env }: CliIo): void {
  const path = flag ?? env["REGISTRY_AUTH_FILE"];
  if (!path) return;
  const isDirectory = statSync(path, { throwIfNoEntry: false })?.isDirectory();
  if (isDirectory === false) return;
  const named = flag === undefined ? "REGISTRY_AUTH_FILE names" : "--authfile:";
  throw usageError(
    `${named} ${path}, which is ${isDirectory === true ? "a directory" : "not there"}`,
    "name a file that exists (buildah login --authfile FILE writes one), or leave it out",
  );
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
