import { existsSync, readFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { isJsonObject, type Json, tryParseJson } from "../../oci/oci.ts";

/** What both of Docker's and BuildKit's clients call Docker Hub. */
const hub = "https://index.docker.io/v1/";

/** What was said of credentials, and for whom. */
export interface GivenCredentials {
  /** Of xbuild's command line, each `--name=value`. */
  readonly flags: readonly string[];
  /** Registries that the build takes images of: --creds is for these. Undefined is Docker Hub. */
  readonly hosts: readonly (string | undefined)[];
}

type Members = { readonly [key: string]: Json };

/**
 * The clients know Docker's own configuration alone, so what was said by --authfile, REGISTRY_AUTH_FILE or --creds becomes
 * one of the call's: in a private directory, for as long as it lasts. What the user's own says beside that still holds.
 * @returns variables for the client; none where nothing was said
 */
export async function writeDockerConfig(
  { flags, hosts }: GivenCredentials,
  directory: string,
  env: NodeJS.ProcessEnv,
): Promise<Readonly<Record<string, string>>> {
  const authFile = lastOf(flags, "authfile") || env["REGISTRY_AUTH_FILE"];
  const creds = lastOf(flags, "creds");
  if (!authFile && creds === undefined) return {};
  const own = resolve(env["DOCKER_CONFIG"] || join(homedir(), ".docker"));
  const given: Members = creds === undefined ? {} : { auths: describeCredentials(creds, hosts) };
  const config = [authFile ? readJson(authFile) : {}, given].reduce(
    putBefore,
    readJson(join(own, "config.json")),
  );
  const plugins = [config["cliPluginsExtraDirs"] ?? [], join(own, "cli-plugins")].flat();
  const place = join(directory, "docker");
  await mkdir(place, { mode: 0o700 });
  const text = JSON.stringify({ ...config, cliPluginsExtraDirs: plugins });
  await writeFile(join(place, "config.json"), text, { mode: 0o600 });
  for (const name of besideConfig)
    if (existsSync(join(own, name))) await symlink(join(own, name), join(place, name));
  return { DOCKER_CONFIG: place, BUILDX_CONFIG: env["BUILDX_CONFIG"] || join(own, "buildx") };
}

/** What else Docker reads of that directory: how its daemons are reached. */
const besideConfig = ["contexts", "ca.pem", "cert.pem", "key.pem"];

function lastOf(flags: readonly string[], name: string): string | undefined {
  const prefix = `--${name}=`;
  return flags.findLast((one) => one.startsWith(prefix))?.slice(prefix.length);
}

function readJson(path: string): Members {
  if (!existsSync(path)) return {};
  const document = tryParseJson(readFileSync(path, "utf8"));
  return isJsonObject(document) ? document : {};
}

/**
 * A configuration with an auth file's credentials before its own. A helper is asked before what is written down, so what
 * the file has for a registry takes the helper's place: an empty name is none. Docker's CLI, `GetCredentialsStore`
 */
function putBefore(config: Members, file: Members): Members {
  const written = nameHub(file["auths"]);
  const helped = Object.entries(written).flatMap(([key, entry]) => (isEntry(entry) ? [key] : []));
  const store = file["credsStore"] || config["credsStore"];
  return {
    ...config,
    auths: { ...membersOf(config["auths"]), ...written },
    credHelpers: {
      ...membersOf(config["credHelpers"]),
      ...Object.fromEntries(helped.map((key) => [key, ""])),
      ...nameHub(file["credHelpers"]),
    },
    ...(store ? { credsStore: store } : {}),
  };
}

function membersOf(value: Json | undefined): Members {
  return isJsonObject(value) ? value : {};
}

function isEntry(entry: Json): boolean {
  return isJsonObject(entry) && Boolean(entry["auth"] || entry["identitytoken"]);
}

/** Auth files of containers have Docker Hub under its host. containers-auth.json(5) */
function nameHub(value: Json | undefined): Members {
  return Object.fromEntries(
    Object.entries(membersOf(value)).map(([key, one]) => [isHub.test(key) ? hub : key, one]),
  );
}

const isHub = /^(?:https?:\/\/)?(?:index\.|registry-1\.)?docker\.io(?:\/v1)?\/?$/;

function describeCredentials(creds: string, hosts: GivenCredentials["hosts"]): Members {
  const auth = Buffer.from(creds.includes(":") ? creds : `${creds}:`).toString("base64");
  return Object.fromEntries(hosts.map((host = "docker.io") => [host, { auth }]));
}
