import { existsSync, readFileSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { isJsonObject, type Json, splitName, tryParseJson } from "../../oci/oci.ts";
import type { SolveCall } from "./solve-call.ts";

/** What both of Docker's and BuildKit's clients call Docker Hub. */
const hub = "https://index.docker.io/v1/";

/**
 * The clients know Docker's own configuration alone, so what was said by --authfile, REGISTRY_AUTH_FILE or --creds becomes
 * one of the call's: in a private directory, for as long as it lasts. @returns variables for the client; none where
 * nothing was said
 */
export async function writeDockerConfig(
  { flags, sources }: Pick<SolveCall, "flags" | "sources">,
  directory: string,
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, string>>> {
  const authFile = lastOf(flags, "authfile") ?? env["REGISTRY_AUTH_FILE"];
  const creds = lastOf(flags, "creds");
  if (!authFile && creds === undefined) return {};
  const own = env["DOCKER_CONFIG"] ?? join(homedir(), ".docker");
  const base = readJson(authFile || join(own, "config.json"));
  const { auths } = base;
  const given = creds === undefined ? {} : describeCredentials(creds, sources);
  const config = {
    ...base,
    auths: { ...(isJsonObject(auths) ? auths : {}), ...given },
    cliPluginsExtraDirs: [join(own, "cli-plugins")],
  };
  const place = join(directory, "docker");
  await mkdir(place, { mode: 0o700 });
  await writeFile(join(place, "config.json"), JSON.stringify(config), { mode: 0o600 });
  return { DOCKER_CONFIG: place, BUILDX_CONFIG: env["BUILDX_CONFIG"] ?? join(own, "buildx") };
}

function lastOf(flags: readonly string[], name: string): string | undefined {
  const prefix = `--${name}=`;
  return flags.findLast((one) => one.startsWith(prefix))?.slice(prefix.length);
}

function readJson(path: string): { readonly [key: string]: Json } {
  if (!existsSync(path)) return {};
  const document = tryParseJson(readFileSync(path, "utf8"));
  return isJsonObject(document) ? document : {};
}

/** For the registries that the build takes images of. */
function describeCredentials(
  creds: string,
  sources: SolveCall["sources"],
): Readonly<Record<string, Json>> {
  const auth = Buffer.from(creds.includes(":") ? creds : `${creds}:`).toString("base64");
  const hosts = [...sources.values()].flatMap((one) =>
    one.kind === "registry" ? [splitName(one.name).host] : [],
  );
  return Object.fromEntries(
    hosts.map((host) => [host === undefined || host === "docker.io" ? hub : host, { auth }]),
  );
}
