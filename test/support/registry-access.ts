import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { startRegistryProxy, type RegistryProxy } from "./registry-proxy.ts";
import { registryPassword, registryUser, startRegistry, type Registry } from "./registry.ts";

/** A registry and the proxy in front of it. */
export interface RegistryService {
  readonly registry: Registry;
  readonly proxy: RegistryProxy;
}

export interface ServiceOptions {
  /** "basic": the registry asks for a password; "token": the proxy gives tokens for it. */
  readonly auth?: "basic" | "token" | "none";
  /** True by default. */
  readonly tls?: boolean;
}

export interface AccessOptions {
  /** Whether to trust the proxy's CA or, without TLS, to allow that. True by default. */
  readonly trust?: boolean;
  /** The right ones by default; undefined for none. */
  readonly credentials?: Credentials | undefined;
}

export interface Credentials {
  readonly user: string;
  readonly password: string;
}

const rightCredentials: Credentials = { user: registryUser, password: registryPassword };

/** The service of a test file, started before its tests and stopped after them, its files removed. */
export function useRegistry({ auth = "none", tls = true }: ServiceOptions = {}): RegistryService {
  let directory: string | undefined;
  let registry: Registry | undefined;
  let proxy: RegistryProxy | undefined;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), "xbuild-registry-"));
    registry = await startRegistry(directory, auth === "basic" ? "basic" : "none");
    proxy = await startRegistryProxy(registry, {
      tokens: auth === "token",
      ...(tls && { certificates: directory }),
    });
  });
  afterAll(async () => {
    await proxy?.stop();
    await registry?.stop();
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
  });
  return {
    get registry() {
      return assertStarted(registry);
    },
    get proxy() {
      return assertStarted(proxy);
    },
  };
}

/**
 * Lets skopeo, buildah and podman reach the proxy where this directory is their HOME. A second proxy
 * comes beside the first one; what was said of the same one before is replaced.
 */
export async function configureAccess(
  home: string,
  proxy: RegistryProxy,
  options: AccessOptions = {},
): Promise<void> {
  const { trust = true } = options;
  const credentials = "credentials" in options ? options.credentials : rightCredentials;
  const containers = join(home, ".config", "containers");
  const { host, caFile } = proxy;
  const certificate = join(containers, "certs.d", host, "ca.crt");
  const setting = join(containers, "registries.conf.d", `${host}.conf`);
  await rm(dirname(certificate), { recursive: true, force: true });
  await rm(setting, { force: true });
  if (trust && caFile !== undefined) {
    await mkdir(dirname(certificate), { recursive: true });
    await copyFile(caFile, certificate);
  }
  if (trust && caFile === undefined) {
    await mkdir(dirname(setting), { recursive: true });
    await writeFile(setting, `[[registry]]\nlocation = "${host}"\ninsecure = true\n`);
  }
  await mkdir(containers, { recursive: true });
  await writeCredentials(join(containers, "auth.json"), host, credentials);
}

/** containers-auth.json(5). */
async function writeCredentials(
  file: string,
  host: string,
  credentials: Credentials | undefined,
): Promise<void> {
  const text = await readFile(file, "utf8").catch(() => '{"auths":{}}');
  const { auths }: { readonly auths: Readonly<Record<string, object>> } = JSON.parse(text);
  const { [host]: _, ...others } = auths;
  const own = credentials && { [host]: { auth: encodeCredentials(credentials) } };
  await writeFile(file, JSON.stringify({ auths: { ...others, ...own } }), { mode: 0o600 });
}

function encodeCredentials({ user, password }: Credentials): string {
  return Buffer.from(`${user}:${password}`).toString("base64");
}

function assertStarted<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the registry runs only while tests run");
  return value;
}
