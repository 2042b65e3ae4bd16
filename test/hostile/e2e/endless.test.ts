import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ociConfigType, ociManifestType } from "../../../src/oci/media-types.ts";
import { digestBytes } from "../../../src/oci/digest.ts";
import { buildOnFreshMachine } from "../../support/machines.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";

// A registry that never stops sending a layer of a few bytes: skopeo compares sizes when all has come, and the disk
// would be full by then.

const sandbox = useSandbox();

const layer = digestBytes(Buffer.from("a layer"));
const config = Buffer.from(
  JSON.stringify({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: [layer] },
    history: [{ created_by: "one" }],
  }),
);
const manifest = Buffer.from(
  JSON.stringify({
    schemaVersion: 2,
    mediaType: ociManifestType,
    config: { mediaType: ociConfigType, digest: digestBytes(config), size: config.length },
    layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar+gzip", digest: layer, size: 7 }],
  }),
);

let server: Server;
let host: string;
beforeAll(async () => {
  server = createServer(answer);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  host = `127.0.0.1:${address !== null && typeof address === "object" ? address.port : ""}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function answer({ method, url = "" }: IncomingMessage, response: ServerResponse): void {
  // There is a layer, it says.
  if (method === "HEAD") response.end();
  else if (url.includes("/manifests/")) {
    response.setHeader("content-type", ociManifestType);
    response.setHeader("docker-content-digest", digestBytes(manifest));
    response.end(manifest);
  } else if (url.includes(digestBytes(config))) response.end(config);
  else if (url.includes(layer)) sendForEver(response);
  else response.end("{}");
}

const chunk = Buffer.alloc(1024 * 1024, "x");

function sendForEver(response: ServerResponse): void {
  response.write(chunk, (error) => {
    if (error === undefined || error === null) sendForEver(response);
  });
}

test("a layer without end is an error, and leaves nothing", async () => {
  const context = join(sandbox.directory, "context");
  await mkdir(context);
  const text = `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer keep one\n`;
  await writeFile(join(context, "Containerfile.x"), text);
  const flags = ["--tls-verify=false", "--retry=0", "--input=all", "--cache-from", `${host}/a/b`];
  const args = ["-t", "app", ...flags];
  const { stderr } = await buildOnFreshMachine(sandbox, context, args, { status: 1 });
  expect(stderr).toContain("error[registry-corrupt]");
  expect(stderr).toContain("more bytes come than the manifest says");
});
