import { XbuildError } from "../errors.ts";
import type { Credentials, RegistryAccess } from "./access.ts";
import { listAuthFiles, readAuthFile, type AuthEntry, type AuthFile } from "./auth-files.ts";
import { askCredentialHelper } from "./credential-helper.ts";
import { createRegistryError } from "./failures.ts";
import type { RepositoryLocation } from "./locations.ts";
import { authFileHelper } from "./registries-document.ts";

/** A registry (`host[:port]`) and one of its repositories (`ns/repo`). */
export type RepositoryName = Pick<RepositoryLocation, "registry" | "repository">;

export interface CredentialOptions {
  /** `credential-helpers` of containers-registries.conf(5), in order; the auth files alone unless given. */
  readonly helpers?: readonly string[];
  readonly signal?: AbortSignal;
  /** Stands before /run. */
  readonly root?: string;
}

/**
 * What to show to a registry for one of its repositories: --creds, else what
 * the auth files and their credential helpers have for the longest part of the name.
 * containers-auth.json(5). Undefined where nobody has anything.
 * @throws where a file or a helper is broken and no other has anything (containers/image, `GetCredentialsForRef`)
 */
export async function findCredentials(
  repository: RepositoryName,
  access: RegistryAccess,
  options: CredentialOptions = {},
): Promise<Credentials | undefined> {
  if (access.creds !== undefined) return splitCredentials(access.creds);
  const failures: unknown[] = [];
  for (const helper of options.helpers ?? [authFileHelper]) {
    const asked =
      helper === authFileHelper
        ? searchFiles(repository, access, options)
        : askCredentialHelper(helper, repository.registry, {
            env: access.env,
            signal: options.signal,
          });
    const credentials = await asked.catch((error: unknown) => void failures.push(error));
    if (credentials !== undefined) return credentials;
  }
  if (failures.length > 0) {
    const [first] = failures;
    const why = first instanceof XbuildError ? first.message : "they cannot be read";
    const reason = `the credentials for ${repository.registry} are broken: ${why}`;
    throw createRegistryError("settings", reason, first);
  }
  return undefined;
}

function splitCredentials(text: string): Credentials {
  const colon = text.indexOf(":");
  if (colon === -1) return { username: text, password: "" };
  return { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

async function searchFiles(
  { registry, repository }: RepositoryName,
  access: RegistryAccess,
  { root = "/", signal }: CredentialOptions,
): Promise<Credentials | undefined> {
  for (const place of listAuthFiles(access, root)) {
    const file = await readAuthFile(place);
    if (file === undefined) continue;
    const ask = (helper: string, server: string): Promise<Credentials | undefined> =>
      askCredentialHelper(helper, server, { env: access.env, signal });
    // The oldest form knows registries alone.
    const name = { registry, repository: place.isLegacy ? "" : repository };
    const credentials = await searchFile(file, name, ask);
    if (credentials !== undefined) return credentials;
  }
  return undefined;
}

type Ask = (helper: string, server: string) => Promise<Credentials | undefined>;

async function searchFile(
  file: AuthFile,
  { registry, repository }: RepositoryName,
  ask: Ask,
): Promise<Credentials | undefined> {
  const helper = file.credHelpers.get(registry);
  if (helper !== undefined) return ask(helper, registry);
  const entry = findEntry(file, registry, repository);
  const written = entry === undefined ? undefined : decode(entry);
  if (written !== undefined || file.credsStore === undefined) return written;
  // containers/image leaves this field to Docker, whose name for its own registry is an address.
  return ask(file.credsStore, registry === "docker.io" ? hubAddress : registry);
}

const hubAddress = "https://index.docker.io/v1/";

/** The most specific key decides, even where it says nothing. */
function findEntry(file: AuthFile, registry: string, repository: string): AuthEntry | undefined {
  const parts = [registry, ...repository.split("/").filter((part) => part !== "")];
  for (let count = parts.length; count > 0; count -= 1) {
    const entry = file.auths.get(parts.slice(0, count).join("/"));
    if (entry !== undefined) return entry;
  }
  const wanted = normaliseHost(registry);
  return [...file.auths].find(([key]) => normaliseKey(key) === wanted)?.[1];
}

/** `docker login` has written addresses: `https://HOST/v1/`. */
function normaliseKey(key: string): string {
  const stripped = key.replace(/^https?:\/\//, "");
  return normaliseHost(stripped === key ? key : (stripped.split("/")[0] ?? ""));
}

function normaliseHost(host: string): string {
  return host === "docker.io" || host === "registry-1.docker.io" ? "index.docker.io" : host;
}

function decode({ auth, identityToken }: AuthEntry): Credentials | undefined {
  if (!/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(auth)) {
    throw createRegistryError("settings", "an entry of the auth file is not in base64");
  }
  const text = Buffer.from(auth, "base64").toString("utf8");
  const colon = text.indexOf(":");
  // What helps itself with a token writes a user beside it; an entry without one is a mark.
  if (colon === -1) return undefined;
  if (identityToken !== "") return { identityToken };
  const password = text.slice(colon + 1).replace(/^\0+|(?<!\0)\0+$/g, "");
  return { username: text.slice(0, colon), password };
}
