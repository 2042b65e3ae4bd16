import { mkdir, readFile, writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import { request, type RequestOptions } from "node:https";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { setImmediate } from "node:timers/promises";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { digestBytes } from "../../src/oci/digest.ts";
import { ociManifestType } from "../../src/oci/media-types.ts";
import type { Digest, Image } from "../../src/oci/model.ts";
import { createTestImage, createTestLayer, type TestLayer } from "../support/images.ts";
import { configureAccess, useRegistry, type RegistryService } from "../support/registry-access.ts";
import type { FaultKind, FaultRule } from "../support/registry-faults.ts";
import { isMount } from "../support/registry-records.ts";
import { registryPassword, registryUser } from "../support/registry.ts";
import { useSandbox } from "../support/sandbox.ts";
import { validateLayout } from "../support/validate-layout.ts";

const sandbox = useSandbox();
const services = {
  basic: useRegistry({ auth: "basic" }),
  token: useRegistry({ auth: "token" }),
  none: useRegistry({ tls: false }),
} as const;
const credentials = `${registryUser}:${registryPassword}`;

let layers: readonly TestLayer[];
let image: Image;
let layout: string;
let blobBytes: number;

beforeAll(async () => {
  layers = [await createTestLayer("one", "1".repeat(5000)), await createTestLayer("two", "2")];
  image = createTestImage(layers);
  layout = join(sandbox.directory, "layout");
  await writeLayout();
  const sizes = [...layers.map(({ bytes }) => bytes.byteLength), image.configBytes.byteLength];
  blobBytes = sizes.reduce((sum, size) => sum + size, 0);
});

beforeEach(() => {
  for (const { proxy } of Object.values(services)) {
    proxy.clearFaults();
    proxy.reset();
  }
});

async function writeLayout(): Promise<void> {
  const blobs = join(layout, "blobs", "sha256");
  await mkdir(blobs, { recursive: true });
  const contents = layers.map((layer) => layer.bytes);
  for (const bytes of [...contents, image.configBytes, image.manifestBytes]) {
    await writeFile(join(blobs, digestBytes(bytes).slice(7)), bytes);
  }
  const { digest, manifestBytes } = image;
  const entry = { mediaType: ociManifestType, digest, size: manifestBytes.byteLength };
  await writeFile(join(layout, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  await writeFile(
    join(layout, "index.json"),
    JSON.stringify({ schemaVersion: 2, manifests: [entry] }),
  );
}

function remote({ proxy }: RegistryService, repository: string): string {
  return `docker://${proxy.host}/${repository}:v1`;
}

function copy(...args: readonly string[]): Promise<string> {
  return sandbox.exec("skopeo", "copy", "--preserve-digests", ...args);
}

describe.each([["basic"], ["token"]] as const)("with auth %s", (auth) => {
  const service = services[auth];
  const access = (end: "src" | "dest", given = credentials): readonly string[] => [
    `--${end}-creds=${given}`,
    `--${end}-cert-dir=${dirname(service.proxy.caFile ?? "")}`,
  ];

  test("skopeo pushes and pulls, and bytes are counted", async () => {
    const { proxy, registry } = service;
    await copy(...access("dest"), `oci:${layout}`, remote(service, "a"));
    expect(proxy.uploaded(proxy.blobUploads())).toBe(blobBytes);
    expect(proxy.uploaded()).toBe(blobBytes + image.manifestBytes.byteLength);
    expect(proxy.blobDownloads()).toEqual([]);
    const digests = [image.manifest.config, ...image.manifest.layers].map(({ digest }) => digest);
    expect(await registry.listBlobs("a")).toEqual(digests.sort());

    proxy.reset();
    const pulled = join(sandbox.directory, `pulled-${auth}`);
    await copy(...access("src"), remote(service, "a"), `oci:${pulled}:v1`);
    expect(await validateLayout(pulled)).toEqual([]);
    expect(proxy.downloaded(proxy.blobDownloads())).toBe(blobBytes);
    expect(proxy.uploaded()).toBe(0);
  });

  test("nobody gets in without the CA or with another password", async () => {
    const words = [`oci:${layout}`, remote(service, "b")];
    await expect(copy(`--dest-creds=${credentials}`, ...words)).rejects.toThrow(/x509/);
    for (const denied of [access("dest", "user:wrong"), [access("dest")[1] ?? ""]]) {
      await expect(copy(...denied, ...words)).rejects.toThrow(/authentication|unauthorized/i);
    }
    expect(service.proxy.uploaded()).toBe(0);
  });

  test("with the files in HOME skopeo mounts and buildah pulls", async () => {
    const { proxy, registry } = service;
    await configureAccess(sandbox.directory, proxy);
    await copy(`oci:${layout}`, remote(service, "a"));
    proxy.reset();
    await copy(remote(service, "a"), remote(service, "c"));
    expect(proxy.mounts().map(({ status, from }) => [status, from])).toEqual([
      [201, "a"],
      [201, "a"],
    ]);
    for (const { digest } of layers) expect(await registry.hasBlob("c", digest)).toBe(true);
    await sandbox.exec("buildah", "pull", "--quiet", remote(service, "c"));
    await configureAccess(sandbox.directory, proxy, { trust: false, credentials: undefined });
    await expect(copy(remote(service, "a"), remote(service, "d"))).rejects.toThrow(/x509/);
  });
});

test("a token is good for its scopes alone", async () => {
  const { proxy } = services.token;
  const ask = (path: string, headers: Readonly<Record<string, string>>, method = "GET") =>
    askOverTls(services.token, path, { headers, method });
  const basic = { authorization: `Basic ${Buffer.from(credentials).toString("base64")}` };
  const { body } = await ask("/token?scope=repository:x/y:pull,push", basic);
  const { token }: { readonly token: string } = JSON.parse(body);
  const bearer = { authorization: `Bearer ${token}` };
  expect((await ask("/v2/", bearer)).status).toBe(200);
  expect((await ask("/v2/x/y/tags/list", bearer)).status).toBe(404);
  expect((await ask("/v2/other/tags/list", bearer)).headers["www-authenticate"]).toBe(
    `Bearer realm="${proxy.url}/token",service="xbuild-test",scope="repository:other:pull"`,
  );
  const digest = layers[0]?.digest ?? "";
  const mount = `/v2/x/y/blobs/uploads/?mount=${digest}&from=a`;
  expect((await ask(mount, bearer, "POST")).status).toBe(202);
});

interface TlsAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

async function askOverTls(
  { proxy }: RegistryService,
  path: string,
  options: RequestOptions,
): Promise<TlsAnswer> {
  const ca = await readFile(proxy.caFile ?? "");
  return new Promise((resolve, reject) => {
    const sent = request(`${proxy.url}${path}`, { ...options, ca, agent: false }, (response) => {
      const { statusCode: status = 0, headers } = response;
      text(response).then((body) => resolve({ status, headers, body }), reject);
    });
    sent.on("error", reject).end();
  });
}

async function read(response: Promise<Response>): Promise<Uint8Array> {
  return new Uint8Array(await (await response).arrayBuffer());
}

function isManifest({ path }: { readonly path: string }): boolean {
  return path.includes("/manifests/");
}

describe("faults", () => {
  const service = services.none;
  let blob: TestLayer;

  beforeAll(async () => {
    const [first] = layers;
    if (first === undefined) throw new Error("there is no layer");
    blob = first;
    await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
    await copy(`oci:${layout}`, remote(service, "a"));
  });

  const isBlob = ({ path }: { readonly path: string }): boolean => path.endsWith(blob.digest);
  const fault = (kind: FaultKind, times = 1): FaultRule =>
    service.proxy.fault({ ...kind, match: isBlob, times });
  const get = (init: RequestInit = {}): Promise<Response> =>
    fetch(`${service.proxy.url}/v2/a/blobs/${blob.digest}`, init);
  const startUpload = async (query = ""): Promise<Response> =>
    fetch(`${service.proxy.url}/v2/b/blobs/uploads/${query}`, { method: "POST" });
  const upload = async (digest: Digest, body: Uint8Array): Promise<Response> => {
    const location = (await startUpload()).headers.get("location");
    return fetch(`${location}&digest=${digest}`, { method: "PUT", body: Buffer.from(body) });
  };
  const pull = (): Promise<string> => copy(remote(service, "a"), `dir:${sandbox.directory}/pulled`);

  test("status: an error document, as often as told", async () => {
    const rule = fault({ status: 429, headers: { "Retry-After": "7" } }, 2);
    for (const method of ["GET", "HEAD"]) {
      const response = await get({ method });
      expect(response.status).toBe(429);
      expect(response.headers.get("retry-after")).toBe("7");
      const body = await response.text();
      expect(body.includes("TOOMANYREQUESTS")).toBe(method === "GET");
    }
    expect(rule.hits).toBe(2);
    expect((await get()).status).toBe(200);
    expect(service.proxy.requests.map(({ status }) => status)).toEqual([429, 429, 200]);
  });

  test("delay", async () => {
    fault({ delay: 500 }, 1);
    const order: string[] = [];
    const late = read(get()).then((bytes) => {
      order.push("late");
      return bytes;
    });
    // The proxy has seen that one, and answers those that come behind it meanwhile.
    while (service.proxy.requests.length === 0) await setImmediate();
    await read(get());
    order.push("at once");
    expect(await late).toEqual(new Uint8Array(blob.bytes));
    expect(order).toEqual(["at once", "late"]);
  });

  test("hang: no answer while the client waits", async () => {
    fault({ hang: true });
    await expect(get({ signal: AbortSignal.timeout(150) })).rejects.toThrow(/timeout/);
    expect(service.proxy.requests.map(({ status }) => status)).toEqual([undefined]);
  });

  test("resetAfter: the answer breaks off", async () => {
    fault({ resetAfter: 10 });
    const response = await get();
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow(/terminated/);
    expect(service.proxy.downloaded()).toBe(10);
  });

  test("resetUploadAfter: the request breaks off, or loses its answer", async () => {
    const { proxy, registry } = service;
    const bytes = Buffer.alloc(300_000, "x");
    const digest = digestBytes(bytes);
    proxy.fault({ match: ({ method }) => method === "PUT", resetUploadAfter: 1000, times: 1 });
    await expect(upload(digest, bytes)).rejects.toThrow(/fetch failed/);
    expect(proxy.uploaded()).toBe(1000);
    expect(await registry.hasBlob("b", digest)).toBe(false);
    proxy.fault({ match: ({ method }) => method === "PUT", resetUploadAfter: Infinity, times: 1 });
    await expect(upload(digest, bytes)).rejects.toThrow(/fetch failed/);
    expect(proxy.requests.at(-1)).toMatchObject({ status: undefined, sent: bytes.byteLength });
    expect(await registry.hasBlob("b", digest)).toBe(true);
  });

  test("corrupt: one bit is another, and skopeo sees it", async () => {
    const rule = fault({ corrupt: 3 }, 2);
    const bytes = await read(get());
    expect(bytes.byteLength).toBe(blob.bytes.byteLength);
    expect([...bytes.entries()].filter(([index, byte]) => byte !== blob.bytes[index])).toEqual([
      [3, (blob.bytes[3] ?? 0) ^ 1],
    ]);
    await expect(pull()).rejects.toThrow(/digest/i);
    expect(rule.hits).toBe(2);
  });

  test("replace: another manifest with its own digest", async () => {
    const { proxy } = service;
    const body = Buffer.from('{"schemaVersion":2,"layers":[],"manifests":[]}');
    const rule = proxy.fault({
      match: isManifest,
      replace: { body, headers: { "Content-Type": "text/plain", "X-Other": "1" } },
    });
    const response = await fetch(`${proxy.url}/v2/a/manifests/v1`);
    expect(response.headers.get("docker-content-digest")).toBe(digestBytes(body));
    expect(response.headers.get("x-other")).toBe("1");
    expect(await response.text()).toBe(body.toString());
    await expect(pull()).rejects.toThrow(/schema version/);
    rule.remove();
    const removed = { "docker-content-digest": undefined };
    proxy.fault({ match: isManifest, replace: { body, status: 203, headers: removed } });
    const second = await fetch(`${proxy.url}/v2/a/manifests/v1`);
    expect([second.status, second.headers.get("docker-content-digest")]).toEqual([203, null]);
  });

  test("dropQuery: a mount is declined", async () => {
    const { proxy, registry } = service;
    const query = `?mount=${blob.digest}&from=a`;
    proxy.fault({ match: isMount, dropQuery: true, times: 1 });
    expect((await startUpload(query)).status).toBe(202);
    expect(await registry.hasBlob("b", blob.digest)).toBe(false);
    expect((await startUpload(query)).status).toBe(201);
    expect(await registry.hasBlob("b", blob.digest)).toBe(true);
    proxy.fault({ match: isMount, dropQuery: true });
    proxy.reset();
    await copy(remote(service, "a"), remote(service, "e"));
    expect(proxy.mounts().map(({ status, digest }) => ({ status, digest }))).toEqual(
      expect.arrayContaining(layers.map(({ digest }) => ({ status: 202, digest }))),
    );
    expect(proxy.uploaded(proxy.blobUploads())).toBe(blobBytes);
  });

  test("a blob that is deleted behind the registry's back is gone at once", async () => {
    const bytes = Buffer.from("collected");
    const digest = digestBytes(bytes);
    await upload(digest, bytes);
    const url = `${service.proxy.url}/v2/b/blobs/${digest}`;
    expect((await fetch(url, { method: "HEAD" })).status).toBe(200);
    await service.registry.deleteBlob("b", digest);
    expect((await fetch(url, { method: "HEAD" })).status).toBe(404);
    expect(await service.registry.hasBlob("b", digest)).toBe(false);
    await upload(digest, bytes);
    expect(await service.registry.hasBlob("b", digest)).toBe(true);
  });
});
