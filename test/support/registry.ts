import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { digestHex, isDigest } from "../../src/oci/digest.ts";
import type { Digest } from "../../src/oci/model.ts";
import { startDaemon } from "./daemon.ts";

/** A docker-registry of a test's own, listening on 127.0.0.1 without TLS. */
export interface Registry {
  readonly port: number;
  readonly auth: RegistryAuth;
  /** Whether a repository gives out this blob (a layer or a config; manifests are none). Read from disk. */
  readonly hasBlob: (repository: string, digest: Digest) => Promise<boolean>;
  /** All of them, sorted. */
  readonly listBlobs: (repository: string) => Promise<readonly Digest[]>;
  /** Takes a blob away as the registry's garbage collection would: no repository has it any more. */
  readonly deleteBlob: (repository: string, digest: Digest) => Promise<void>;
  /** Takes all away that it has, as one that is set up anew. */
  readonly empty: () => Promise<void>;
  /** Ends the program and waits for that. Its files stay. */
  readonly stop: () => Promise<void>;
}

/** "basic": only this user with this password may do anything. */
export type RegistryAuth = "basic" | "none";

export const registryUser = "user";
export const registryPassword = "s3cret-pass";

/** bcrypt of the password, of the lowest cost that there is. */
const passwordLine = `${registryUser}:$2y$04$abcdefghijklmnopqrstuuaUNpTaGyHErb7YklXKRt/SEtSLxPST6\n`;

/**
 * Starts a registry that keeps its files in this directory, and waits until it answers.
 * @throws with what it said, where it does not start
 */
export async function startRegistry(
  directory: string,
  auth: RegistryAuth = "none",
): Promise<Registry> {
  const storage = join(directory, "storage");
  await mkdir(storage, { recursive: true });
  for (let attempt = 1; ; attempt += 1) {
    try {
      const { port, stop } = await runRegistry(directory, storage, auth);
      return { port, auth, stop, ...createStorage(join(storage, "docker", "registry", "v2")) };
    } catch (error) {
      // Another program may take the port before the registry does.
      if (attempt === 3) throw error;
    }
  }
}

async function runRegistry(
  directory: string,
  storage: string,
  auth: RegistryAuth,
): Promise<Pick<Registry, "port" | "stop">> {
  const port = await findFreePort();
  const run = randomUUID();
  const config = join(directory, "config.json");
  const htpasswd = join(directory, "htpasswd");
  await writeFile(htpasswd, passwordLine);
  await writeFile(
    config,
    renderConfig({ port, run, storage, ...(auth === "basic" && { htpasswd }) }),
  );
  const stop = await startDaemon({
    argv: ["docker-registry", "serve", config],
    // Variables REGISTRY_* would change the configuration.
    options: { env: { PATH: process.env["PATH"] }, extendEnv: false },
    waitForAnswer: (signal) => waitForAnswer(port, run, signal),
  });
  return { port, stop };
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  if (address === null || typeof address === "string") throw new Error("it has no port");
  return address.port;
}

interface ConfigValues {
  readonly port: number;
  readonly run: string;
  readonly storage: string;
  readonly htpasswd?: string;
}

/** JSON is YAML. There is no cache, so that a blob deleted on disk is gone at once. */
function renderConfig({ port, run, storage, htpasswd }: ConfigValues): string {
  return JSON.stringify({
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: storage },
      delete: { enabled: true },
      redirect: { disable: true },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: `127.0.0.1:${port}`, secret: "xbuild-test", headers: { "X-Xbuild-Run": [run] } },
    ...(htpasswd !== undefined && {
      auth: { htpasswd: { realm: "xbuild-test", path: htpasswd } },
    }),
  });
}

/** Waits until this very run answers: another program may have got the port. */
async function waitForAnswer(port: number, run: string, signal: AbortSignal): Promise<void> {
  for (;;) {
    const response = await fetch(`http://127.0.0.1:${port}/v2/`, { signal }).catch(() => undefined);
    await response?.arrayBuffer();
    if (response?.headers.get("x-xbuild-run") === run) return;
    await sleep(20, undefined, { signal });
  }
}

/** What can be read and done behind the registry's back, below its `docker/registry/v2`. */
function createStorage(
  root: string,
): Pick<Registry, "hasBlob" | "listBlobs" | "deleteBlob" | "empty"> {
  const links = (repository: string): string =>
    join(root, "repositories", repository, "_layers", "sha256");
  const blob = (digest: Digest): string => {
    const hex = digestHex(digest);
    return join(root, "blobs", "sha256", hex.slice(0, 2), hex);
  };
  const hasBlob: Registry["hasBlob"] = async (repository, digest) =>
    (await exists(join(links(repository), digestHex(digest), "link"))) &&
    (await exists(join(blob(digest), "data")));
  return {
    hasBlob,
    listBlobs: async (repository) => {
      const names = await readdir(links(repository)).catch(() => []);
      const digests = names.map((name) => `sha256:${name}`).filter(isDigest);
      const found = await Promise.all(digests.map((digest) => hasBlob(repository, digest)));
      return digests.filter((_, index) => found[index]).sort();
    },
    deleteBlob: async (repository, digest) => {
      await rm(blob(digest), { recursive: true });
      await rm(join(links(repository), digestHex(digest)), { recursive: true });
    },
    empty: () => rm(root, { recursive: true }),
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}
