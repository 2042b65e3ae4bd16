import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { ociManifestType } from "../../../src/oci/media-types.ts";
import type { Descriptor } from "../../../src/oci/model.ts";
import { buildOnFreshMachine } from "../../support/machines.ts";
import { configureAccess, useRegistry } from "../../support/registry-access.ts";
import { createPusher, pushParts } from "../../support/registry-documents.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";

// A manifest may name addresses for its layers (`urls`). Whoever follows them can be led anywhere, with whatever
// credentials he has (CVE-2020-15157). Nobody is ever asked at such an address.

const sandbox = useSandbox();
const service = useRegistry();

let elsewhere: Server;
let asked: string[];
let address: string;
beforeAll(async () => {
  elsewhere = createServer((request, response) => {
    asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? ""}`);
    response.end("bytes of nobody");
  });
  await new Promise<void>((done) => elsewhere.listen(0, "127.0.0.1", done));
  const bound = elsewhere.address();
  address = `http://127.0.0.1:${bound !== null && typeof bound === "object" ? bound.port : ""}/layer`;
  await configureAccess(sandbox.directory, service.proxy);
});
afterAll(() => void elsewhere.close());
beforeEach(() => {
  asked = [];
});

const types = {
  "a layer as any other": "application/vnd.oci.image.layer.v1.tar+gzip",
  "a layer that may not be distributed":
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
};

/** Pushes an image of two layers, the second of which has an address. @returns its name and that layer */
async function pushForeign(
  tag: string,
  mediaType: string,
): Promise<{ readonly name: string; readonly layer: Descriptor | undefined }> {
  const pusher = createPusher(service.registry, "team/foreign");
  const { config, layers } = await pushParts(pusher, ["one", "two"]);
  const [first, second] = layers;
  const foreign = { ...second, mediaType, urls: [address] };
  const manifest = { schemaVersion: 2, mediaType: ociManifestType, config };
  // The registry itself takes no addresses: what a hostile one says comes from the proxy.
  await pusher.pushManifest({ ...manifest, layers }, tag);
  const body = Buffer.from(JSON.stringify({ ...manifest, layers: [first, foreign] }));
  service.proxy.clearFaults();
  service.proxy.fault({
    match: ({ method, path }) => method !== "PUT" && path.startsWith("/v2/team/foreign/manifests/"),
    replace: { body, headers: { "content-type": ociManifestType } },
  });
  return { name: `${service.proxy.host}/team/foreign:${tag}`, layer: second };
}

async function makeContext(name: string): Promise<string> {
  const context = join(sandbox.directory, name);
  await mkdir(context, { recursive: true });
  const text = `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer keep one && /layers/bin/layer keep two\n`;
  await writeFile(join(context, "Containerfile.x"), text);
  return context;
}

test.each(Object.entries(types))("%s: kept by reference", async (_what, type) => {
  const { name } = await pushForeign("kept", type);
  const context = await makeContext("kept");
  const args = ["-t", "app", "--no-load", "--cache-from", name];
  const built = await buildOnFreshMachine(sandbox, context, args);
  expect(built.layers).toEqual(["one kept", "two kept"]);
  expect(asked).toEqual([]);
});

test.each(Object.entries(types))("%s: its bytes come from the repository", async (_what, type) => {
  const { name } = await pushForeign("fetched", type);
  const context = await makeContext("fetched");
  const built = await buildOnFreshMachine(sandbox, context, ["-t", "app", "--cache-from", name]);
  expect(built.metadata.layers.every((layer) => layer.verified)).toBe(true);
  expect(asked).toEqual([]);
});

test.each(Object.entries(types))("%s: the repository does not have it", async (_what, type) => {
  const { name, layer } = await pushForeign("gone", type);
  if (layer === undefined) throw new Error("there are two");
  const repository = `team/foreign`;
  await service.registry.deleteBlob(repository, layer.digest);
  const context = await makeContext("gone");
  const args = ["-t", "app", "--input=all", "--cache-from", name];
  const { stderr } = await buildOnFreshMachine(sandbox, context, args, { status: 1 });
  expect(stderr).toMatch(/error\[(?:layer-external|layer-gone)\]/);
  expect(asked).toEqual([]);
});
