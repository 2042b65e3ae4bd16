import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { portOf } from "../../test/support/port.ts";
import { digestBytes } from "../oci/digest.ts";
import { openSession, type RegistrySession } from "./session.ts";

// A registry that counts, and fails as often as it is told.

let directory: string;
let server: Server;
let asked: string[];
let failures: number;
let session: RegistrySession;
const stopping = new AbortController();
const manifest = "{}";
const digest = digestBytes(Buffer.from(manifest));

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-session-"));
  asked = [];
  failures = 0;
  server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`);
    failures -= 1;
    response.writeHead(failures >= 0 ? 500 : 200).end(manifest);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  await configure("");
});

afterEach(async () => {
  session.close();
  server.closeAllConnections();
  server.close();
  await rm(directory, { recursive: true, force: true });
});

/** Opens a session with these words in registries.conf. */
async function configure(text: string): Promise<void> {
  const config = join(directory, ".config/containers");
  await mkdir(config, { recursive: true });
  await writeFile(join(config, "registries.conf"), text);
  const env = { HOME: directory, XDG_RUNTIME_DIR: directory };
  session = openSession({ tlsVerify: false, env, retries: 0 }, stopping.signal);
}

const repository = (name = "app"): string => `127.0.0.1:${portOf(server)}/${name}`;

test("a registry is asked once how it is reached, and for a manifest once until something else stands there", async () => {
  const [first, second] = [session.openTransfers(), session.openTransfers()];
  await Promise.all([first, second].map((one) => one.readManifest(repository(), "tag")));
  expect(await session.openClient().hasBlob(repository(), digest)).toBe(true);
  expect(asked).toEqual(["GET /v2/", "GET /v2/app/manifests/tag", `HEAD /v2/app/blobs/${digest}`]);
  expect(await session.hasRead(repository(), digest)).toBe(true);
  await first.pushManifest(repository(), "tag", { mediaType: "x", bytes: Buffer.from("{}") });
  expect(await session.hasRead(repository(), digest)).toBe(false);
  await second.readManifest(repository(), "tag");
  expect(asked.slice(3)).toEqual(["PUT /v2/app/manifests/tag", "GET /v2/app/manifests/tag"]);
});

test("what failed for one is asked again by the next", async () => {
  // The first question, over TLS and without, and no more.
  failures = 1;
  expect(await session.openClient().hasBlob(repository(), digest)).toBeUndefined();
  expect(await session.openClient().hasBlob(repository(), digest)).toBe(true);
  failures = 1;
  await expect(session.openTransfers().readManifest(repository(), "tag")).rejects.toThrow(/500/);
  const bytes = await session.openTransfers().readManifest(repository(), "tag");
  expect(bytes?.toString()).toBe(manifest);
});

test("who has stopped begins nothing more, and the others go on", async () => {
  const stop = new AbortController();
  const stopped = session.openClient(stop.signal);
  stop.abort(new Error("stopped"));
  await expect(stopped.hasBlob(repository(), digest)).rejects.toThrow("stopped");
  expect(await session.openClient().hasBlob(repository(), digest)).toBe(true);
  session.close();
  expect(await session.openClient().hasBlob(repository(), digest)).toBeUndefined();
});

describe("pulled from where it is pushed to", () => {
  test.each([
    ["", true],
    [`[[registry]]\nprefix = "other.example"\nlocation = "elsewhere.example"\n`, true],
    [`[[registry]]\nlocation = "r.example"\n[[registry.mirror]]\nlocation = "m.example"\n`, false],
    [
      `[[registry]]\nlocation = "r.example"\n[[registry.mirror]]\nlocation = "m.example"\npull-from-mirror = "tag-only"\n`,
      false,
    ],
    [`[[registry]]\nprefix = "r.example"\nlocation = "elsewhere.example"\n`, false],
    [`[[registry]]\nlocation = "r.example"\nblocked = true\n`, false],
    ["[[", false],
  ])("%j: %s", async (text, expected) => {
    await configure(text);
    expect(await session.isOnePlace("r.example/app")).toBe(expected);
  });
});
