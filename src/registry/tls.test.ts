import { once } from "node:events";
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import * as http from "node:http";
import * as https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { execa } from "execa";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";
import { portOf } from "../../test/support/port.ts";
import { digestBytes } from "../oci/digest.ts";
import type { RegistryAccess } from "./access.ts";
import { openRegistryClient } from "../../test/support/registry-client.ts";

let directory: string;
let home: string;
/** `127.0.0.1:PORT`, of one that speaks TLS and of one that does not. */
let host: string;
let plainHost: string;
let plainRequests: number;
const servers: http.Server[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-tls-"));
  await createCertificate("server");
  await createCertificate("client");
  const secure = https.createServer(
    {
      cert: await readFile(join(directory, "server.crt")),
      key: await readFile(join(directory, "server.key")),
      ca: await readFile(join(directory, "client.crt")),
      requestCert: true,
      rejectUnauthorized: false,
    },
    answer,
  );
  const plain = http.createServer((_, response) => {
    plainRequests += 1;
    response.end('{"token":"t"}');
  });
  [host, plainHost] = [await listen(secure), await listen(plain)];
});

afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  plainRequests = 0;
  home = await mkdtemp(join(directory, "home-"));
  await mkdir(join(home, ".config/containers"), { recursive: true });
  await writeFile(join(home, ".config/containers/registries.conf"), "");
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

/** `NAME.crt`, which signs itself for 127.0.0.1, with `NAME.key`. */
async function createCertificate(name: string): Promise<void> {
  const words = ["req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "1"];
  const names = ["-subj", `/CN=${name}`, "-addext", "subjectAltName=IP:127.0.0.1"];
  const files = ["-keyout", join(directory, `${name}.key`), "-out", join(directory, `${name}.crt`)];
  await execa("openssl", [...words, ...names, ...files]);
}

async function listen(server: http.Server): Promise<string> {
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `127.0.0.1:${portOf(server)}`;
}

/** `open` has all blobs, `closed` for those with a client certificate, `token` for nobody yet. */
function answer(request: http.IncomingMessage, response: http.ServerResponse): void {
  const isKnown = request.socket instanceof TLSSocket && request.socket.authorized;
  if (request.url?.startsWith("/v2/closed/") === true && !isKnown) response.statusCode = 403;
  if (request.url?.startsWith("/v2/token/") === true) {
    response.statusCode = 401;
    response.setHeader("www-authenticate", `Bearer realm="http://${plainHost}/token"`);
  }
  response.end();
}

const digest = digestBytes(Buffer.from("blob"));

async function ask(
  repository: string,
  access: Partial<RegistryAccess> = {},
): Promise<boolean | undefined> {
  const client = openRegistryClient({ ...access, env: { HOME: home } });
  try {
    return await client.hasBlob(repository, digest);
  } finally {
    client.close();
  }
}

/** A certs.d directory with the server's certificate and, if asked for, the client's. */
async function createCertDir(path: string, withClient = false): Promise<string> {
  await cp(join(directory, "server.crt"), join(path, "ca.crt"));
  if (withClient) {
    await cp(join(directory, "client.crt"), join(path, "client.cert"));
    await cp(join(directory, "client.key"), join(path, "client.key"));
  }
  return path;
}

it("does not trust a registry that nobody vouches for", async () => {
  expect(await ask(`${host}/open`)).toBeUndefined();
  expect(await ask(`${host}/open`, { tlsVerify: false })).toBe(true);
});

it("trusts what certs.d or --cert-dir has", async () => {
  const certDir = await createCertDir(join(home, "certs"));
  expect(await ask(`${host}/open`, { certDir })).toBe(true);
  expect(await ask(`${host}/open`, { certDir, tlsVerify: true })).toBe(true);
  expect(await ask(`${host}/open`)).toBeUndefined();
  await createCertDir(join(home, ".config/containers/certs.d", host));
  expect(await ask(`${host}/open`)).toBe(true);
});

it("shows the client certificate", async () => {
  const certDir = await createCertDir(join(home, "certs"));
  expect(await ask(`${host}/closed`, { certDir })).toBeUndefined();
  await createCertDir(certDir, true);
  expect(await ask(`${host}/closed`, { certDir })).toBe(true);
  await writeFile(join(certDir, "client.key"), "broken");
  expect(await ask(`${host}/closed`, { certDir })).toBeUndefined();
});

it("goes without TLS only where that is allowed", async () => {
  expect(await ask(`${plainHost}/open`, { tlsVerify: true })).toBeUndefined();
  expect(plainRequests).toBe(0);
  expect(await ask(`${plainHost}/open`, { tlsVerify: false })).toBe(true);
  const conf = `[[registry]]\nlocation = "${plainHost}"\ninsecure = true\n`;
  await writeFile(join(home, ".config/containers/registries.conf"), conf);
  expect(await ask(`${plainHost}/open`)).toBe(true);
  plainRequests = 0;
  expect(await ask(`${plainHost}/open`, { tlsVerify: true })).toBeUndefined();
  expect(plainRequests).toBe(0);
});

it("asks no token server without TLS", async () => {
  const certDir = await createCertDir(join(home, "certs"));
  expect(await ask(`${host}/token`, { certDir, creds: "user:secret" })).toBeUndefined();
  expect(plainRequests).toBe(0);
});
