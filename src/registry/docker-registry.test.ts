import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { startForwardProxy } from "../../test/support/forward-proxy.ts";
import { portOf } from "../../test/support/port.ts";
import { digestBytes } from "../oci/digest.ts";
import { openRegistryClient, type OwnClient } from "../../test/support/registry-client.ts";
import type { Digest } from "../oci/model.ts";

let directory: string;
let host: string;
let server: ChildProcess;
let client: OwnClient;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-docker-registry-"));
  await mkdir(join(directory, ".config/containers"), { recursive: true });
  await writeFile(join(directory, ".config/containers/registries.conf"), "");
  const env = { HOME: directory, XDG_RUNTIME_DIR: directory };
  client = openRegistryClient({ tlsVerify: false, env });
  host = `127.0.0.1:${await findPort()}`;
  const config = {
    version: "0.1",
    http: { addr: host },
    storage: storage(),
    log: { level: "error" },
  };
  await writeFile(join(directory, "config.yml"), JSON.stringify(config));
  server = spawn("docker-registry", ["serve", join(directory, "config.yml")], { stdio: "ignore" });
  await vi.waitUntil(isUp, { timeout: 30_000 });
});

afterAll(async () => {
  client.close();
  if (server.exitCode === null && server.kill("SIGKILL")) await once(server, "exit");
  await rm(directory, { recursive: true, force: true });
});

function storage(): object {
  return { filesystem: { rootdirectory: join(directory, "data") }, delete: { enabled: true } };
}

async function findPort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const port = portOf(probe);
  probe.close();
  await once(probe, "close");
  return port;
}

async function isUp(): Promise<boolean> {
  return fetch(`http://${host}/v2/`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** distribution-spec v1.1, "Pushing a blob monolithically", POST then PUT */
async function push(repository: string, text: string): Promise<Digest> {
  const digest = digestBytes(Buffer.from(text));
  const uploads = `http://${host}/v2/${repository}/blobs/uploads/`;
  const begun = await fetch(uploads, { method: "POST" });
  const url = new URL(begun.headers.get("location") ?? "", uploads);
  url.searchParams.append("digest", digest);
  const headers = { "content-type": "application/octet-stream" };
  expect((await fetch(url, { method: "PUT", headers, body: text })).status).toBe(201);
  return digest;
}

it("mounts a blob of another repository", async () => {
  const digest = await push("ns/a", "a blob");
  expect(await client.hasBlob(`${host}/ns/a`, digest)).toBe(true);
  expect(await client.hasBlob(`${host}/ns/b`, digest)).toBe(false);
  const mount = { to: `${host}/ns/b`, from: `${host}/ns/a`, digest, size: 6 };
  expect(await client.mountBlob(mount)).toBe("mounted");
  expect(await client.hasBlob(`${host}/ns/b`, digest)).toBe(true);
});

it("leaves no upload behind where there is nothing to mount", async () => {
  await push("ns/a", "another blob");
  const digest = digestBytes(Buffer.from("never pushed"));
  const mount = { to: `${host}/ns/c`, from: `${host}/ns/a`, digest };
  expect(await client.mountBlob(mount)).toBe("declined");
  expect(await client.hasBlob(`${host}/ns/c`, digest)).toBe(false);
  const uploads = join(directory, "data/docker/registry/v2/repositories/ns/c/_uploads");
  const [upload = "none", ...others] = await readdir(uploads);
  // All that this registry leaves of an upload that has been cancelled.
  expect(await readdir(join(uploads, upload))).toEqual(["hashstates"]);
  expect(others).toEqual([]);
});

it("answers many questions at once", async () => {
  const texts = Array.from({ length: 200 }, (_, index) => `blob ${index % 20}`);
  const digests = await Promise.all([...new Set(texts)].map((text) => push("ns/d", text)));
  const missing = digestBytes(Buffer.from("missing"));
  const asked = [...texts.map((text) => digestBytes(Buffer.from(text))), missing];
  const answers = await Promise.all(asked.map((one) => client.hasBlob(`${host}/ns/d`, one)));
  expect(answers).toEqual([...texts.map(() => true), false]);
  const mounts = digests.map((digest) =>
    client.mountBlob({ to: `${host}/ns/e`, from: `${host}/ns/d`, digest }),
  );
  expect(new Set(await Promise.all(mounts))).toEqual(new Set(["mounted"]));
});

it("asks and mounts through a proxy, with its password", async () => {
  const proxy = await startForwardProxy({ credentials: "user:secret" });
  const digest = await push("ns/f", "a blob behind a proxy");
  // No name server knows it.
  const named = host.replace("127.0.0.1", "registry.test");
  const ask = async (address: string): Promise<unknown> => {
    const env = { HOME: directory, XDG_RUNTIME_DIR: directory, HTTP_PROXY: address };
    const proxied = openRegistryClient({ tlsVerify: false, env });
    const mount = { to: `${named}/ns/g`, from: `${named}/ns/f`, digest };
    const answers = [
      await proxied.hasBlob(`${named}/ns/f`, digest),
      await proxied.mountBlob(mount),
    ];
    proxied.close();
    return answers;
  };
  expect(await ask(proxy.url)).toEqual([undefined, "unknown"]);
  expect(await client.hasBlob(`${host}/ns/g`, digest)).toBe(false);
  expect(await ask(proxy.url.replace("//", "//user:secret@"))).toEqual([true, "mounted"]);
  expect(await client.hasBlob(`${host}/ns/g`, digest)).toBe(true);
  await proxy.stop();
});
