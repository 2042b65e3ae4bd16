import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { expect, test } from "vitest";
import { captureIo } from "../../../test/support/capture-io.ts";
import { commitRecorded, commitTestImage, withStore } from "../../../test/support/store.ts";
import type { Image } from "../../oci/model.ts";
import { exportLayout } from "../../store/images/export.ts";
import { findImage } from "../../store/images/images.ts";
import { blobPath, type Store } from "../../store/layout/paths.ts";
import { findBlob } from "../../store/blobs/blobs.ts";
import { runCache } from "./cache.ts";
import { runImages } from "./images.ts";
import type { Command } from "../io.ts";
import { createNamePattern } from "../line/name-pattern.ts";
import { runRmi } from "./rmi.ts";
import { renderAge } from "./store-command.ts";
import { runTag } from "./tag.ts";

const name = "localhost/app:latest";

interface Ran {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function runOn(store: Store, command: Command, argv: readonly string[]): Promise<Ran> {
  const { io, printed } = captureIo({ env: { XBUILD_STORE: store.directory } });
  const status = await command(argv, io);
  return { status, ...printed };
}

/** The bytes that the image shares with no other: its documents and its second layer. */
function own({ manifestBytes, configBytes, manifest }: Image): number {
  return manifestBytes.length + configBytes.length + (manifest.layers[1]?.size ?? 0);
}

test("images lists names, ages and sizes, for people and for programs", () =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one", "two"], {
      names: [name, "example.com/b:1"],
    });
    const size = image.manifest.layers.reduce((sum, layer) => sum + layer.size, 0);
    const table = (await runOn(store, runImages, [])).stdout.split("\n");
    expect(table[0]).toMatch(/^NAME +IMAGE ID +PLATFORM +CREATED +LAYERS +SIZE$/);
    expect(table[2]).toMatch(
      new RegExp(`^${name} +[0-9a-f]{12} +linux/amd64 +.* ago +2 +${size} B$`),
    );
    const { stdout } = await runOn(store, runImages, ["--format", "json", "app"]);
    expect(JSON.parse(stdout)).toEqual([
      {
        name,
        digest: image.digest,
        configDigest: image.manifest.config.digest,
        created: "2026-11-20T00:00:00Z",
        platform: "linux/amd64",
        size,
        layers: 2,
        missingLayers: 0,
      },
    ]);
    const quiet = await runOn(store, runImages, ["-q"]);
    expect(quiet.stdout).toBe(`example.com/b:1\n${name}\n`);
  }));

test("tag gives names and rmi takes them, going on where one is not there", () =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one"], { names: [name] });
    expect((await runOn(store, runTag, ["app", "app:1", "other"])).status).toBe(0);
    expect((await findImage(store, "localhost/other:latest"))?.digest).toBe(image.digest);
    const removed = await runOn(store, runRmi, ["app", "none", "other"]);
    const kept = `Kept: ${image.digest.slice(0, 19)}, which is localhost/app:1, too\n`;
    expect(removed).toMatchObject({
      status: 1,
      stdout: `Untagged: localhost/app:latest\nUntagged: localhost/other:latest\n${kept}Total: 0 B freed\n`,
      stderr: expect.stringContaining("error[image-not-found]"),
    });
    expect(await findImage(store, "localhost/app:1")).toEqual(image);
    expect(await runOn(store, runRmi, ["-f", "--ignore", "none"])).toEqual({
      status: 0,
      stdout: "",
      stderr: "",
    });
    const missing = runOn(store, runTag, ["none", "app:2"]);
    await expect(missing).rejects.toMatchObject({ code: "image-not-found" });
  }));

test("cache path, ls and du say where, what and how much", () =>
  withStore(async (store) => {
    const old = await commitRecorded(store, ["shared", "old"], "old", [name]);
    const now = await commitRecorded(store, ["shared", "new"], "new", [name]);
    expect((await runOn(store, runCache, ["path"])).stdout).toBe(`${store.directory}\n`);
    const listed: unknown = JSON.parse(
      (await runOn(store, runCache, ["ls", "--format=json"])).stdout,
    );
    expect(listed).toMatchObject([
      { digest: now.digest, names: [name], layers: 2 },
      { digest: old.digest, names: [], layers: 2 },
    ]);
    const usage: unknown = JSON.parse(
      (await runOn(store, runCache, ["du", "--format=json"])).stdout,
    );
    expect(usage).toMatchObject({
      named: own(now) + (now.manifest.layers[0]?.size ?? 0),
      unnamed: own(old),
      orphaned: 0,
      unfinished: 0,
    });
    expect((await runOn(store, runCache, ["du"])).stdout).toMatch(
      /^WHAT +SIZE\n[^]*total +\S+ k?B\n$/,
    );
    expect((await runOn(store, runCache, ["ls"])).stdout).toMatch(
      /^DIGEST +PLATFORM +LAST USED +LAYERS +SIZE +NAMES\n/,
    );
  }));

test("cache prune says what would go, and then what went", () =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one"], {
      names: ["localhost/ci:1", "localhost/ci:2"],
    });
    await commitTestImage(store, ["two"], { names: [name] });
    const dry = await runOn(store, runCache, ["prune", "-n", "--tag", "ci:*"]);
    expect(dry.stdout).toMatch(
      /^Would untag: localhost\/ci:1\nWould untag: localhost\/ci:2\nWould delete: sha256:[0-9a-f]{64}\nTotal: \d+ B would be freed; /,
    );
    expect(await findImage(store, "localhost/ci:1")).toEqual(image);
    await runOn(store, runCache, ["prune", "--tag", "ci", "--older-than", "1h"]);
    expect(await findImage(store, "localhost/ci:1")).toEqual(image);
    const done = await runOn(store, runCache, ["prune", "--tag", "ci", "--format", "json"]);
    expect(JSON.parse(done.stdout)).toMatchObject({ names: ["localhost/ci:1", "localhost/ci:2"] });
    expect(await findBlob(store, { digest: image.digest })).toBeUndefined();
  }));

test.each([
  [runCache, [], "cache needs a command"],
  [runCache, ["prun"], "cache has no command prun"],
  [runCache, ["prune", "app"], "cache prune takes no argument"],
  [runCache, ["prune", "--older-than", "soon"], 'an age such as 12h or 7d, not "soon"'],
  [runCache, ["prune", "--filter", "label=x"], "--filter cannot be label=x"],
  [runCache, ["prune", "--filter", "until=soon"], 'an age such as 12h or 7d, not "soon"'],
  [runCache, ["prune", "--max-size=1g", "--keep-storage=1g"], "say the same"],
  [runCache, ["prune", "--max-size", "big"], 'a size such as 512m or 10g, not "big"'],
  [runCache, ["ls", "--format", "jsn"], "--format cannot be jsn"],
  [runCache, ["verify", "x"], "cache verify takes no argument"],
  [runCache, ["path", "x"], "cache path takes no argument"],
  [runRmi, [], "rmi needs the name of an image"],
  [runTag, ["app"], "tag needs the name of an image and a new one"],
  [runImages, ["--formt"], "unknown flag --formt"],
] as const)("wrong usage is refused: %s %j", (command, argv, message) =>
  withStore(async (store) => {
    await expect(runOn(store, command, argv)).rejects.toMatchObject({
      code: "usage",
      exitStatus: 125,
      message: expect.stringContaining(message),
    });
  }),
);

test.each([
  [runCache, ["--help"]],
  [runCache, ["ls", "-h"]],
  [runCache, ["du", "-h"]],
  [runCache, ["prune", "-h"]],
  [runCache, ["verify", "-h"]],
  [runImages, ["-h"]],
  [runRmi, ["-h"]],
  [runTag, ["-h"]],
] as const)("help is printed and nothing done: %# %j", (command, argv) =>
  withStore(async (store) => {
    const { status, stdout } = await runOn(store, command, argv);
    expect([status, stdout.startsWith("Usage: xbuild ")]).toEqual([0, true]);
  }),
);

test("cache verify is silent about a right store, and names what is wrong and whose it is", () =>
  withStore(async (store) => {
    const image = await commitTestImage(store, ["one"], { names: [name] });
    const right = await runOn(store, runCache, ["verify"]);
    expect(right).toEqual({ status: 0, stdout: "nothing is wrong\n", stderr: "" });
    const digest = image.manifest.layers[0]?.digest ?? image.digest;
    await writeFile(blobPath(store, digest), "wrong");
    const wrong = await runOn(store, runCache, ["verify"]);
    expect(wrong.status).toBe(1);
    expect(wrong.stdout).toContain(`used by: ${name}\n  run xbuild cache verify --repair`);
    expect((await runOn(store, runCache, ["verify", "--repair"])).status).toBe(1);
    expect((await runOn(store, runCache, ["verify"])).status).toBe(0);
  }));

/** A registry that gives what an OCI layout has. */
async function serveLayout(layout: string): Promise<Server> {
  const server = createServer((request, response) => {
    const found = /^\/v2\/(?:.+\/(manifests|blobs)\/sha256:([0-9a-f]{64}))?$/.exec(
      request.url ?? "",
    );
    const [, kind, hex] = found ?? [];
    if (hex === undefined) return void response.writeHead(found === null ? 404 : 200).end();
    const type =
      kind === "manifests" ? "application/vnd.oci.image.manifest.v1+json" : "binary/octet";
    return void readFile(join(layout, "blobs", "sha256", hex)).then(
      (bytes) => response.writeHead(200, { "content-type": type }).end(bytes),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

test("cache verify --repair brings a damaged blob from the registry of its image's name", () =>
  withStore(async (store, directory) => {
    const layout = join(directory, "layout");
    const server = await serveLayout(layout);
    const address = server.address();
    const host = `127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
    const configuration = join(directory, ".config", "containers");
    await mkdir(configuration, { recursive: true });
    const text = `[[registry]]\nlocation = "${host}"\ninsecure = true\n`;
    await writeFile(join(configuration, "registries.conf"), text);
    const home = process.env["HOME"];
    process.env["HOME"] = directory;
    try {
      const names = [name, `${host}/team/app:1`];
      const image = await commitTestImage(store, ["one", "two"], { names });
      await exportLayout(store, image, { directory: layout, name: "app" });
      const digest = image.manifest.layers[0]?.digest ?? image.digest;
      const right = await readFile(blobPath(store, digest));
      await rm(blobPath(store, digest));
      await writeFile(blobPath(store, digest), "wrong");
      const { stdout } = await runOn(store, runCache, ["verify", "--repair", "--format", "json"]);
      expect(JSON.parse(stdout)).toMatchObject([{ code: "blob-damaged", outcome: "repaired" }]);
      expect(await readFile(blobPath(store, digest))).toEqual(right);
      expect((await runOn(store, runCache, ["verify"])).stdout).toBe("nothing is wrong\n");
    } finally {
      process.env["HOME"] = home;
      server.close();
      server.closeAllConnections();
    }
  }));

test.each([
  ["app", name, true],
  ["app:*", name, true],
  ["localhost/a*", name, true],
  ["app:1", name, false],
  ["ap?", name, true],
  ["*", "example.com:5000/x/y:1", true],
  ["example.com:5000/x/y", "example.com:5000/x/y:1", true],
  ["example.com:5000/x", "example.com:5000/x/y:1", false],
  ["a.p", name, false],
])("pattern %s and %s: %s", (pattern, full, expected) => {
  expect(createNamePattern([pattern])(full)).toBe(expected);
});

test.each([
  [0, "0 seconds ago"],
  [1000, "1 second ago"],
  [119_000, "119 seconds ago"],
  [120_000, "2 minutes ago"],
  [3 * 86_400_000, "3 days ago"],
  [-5000, "0 seconds ago"],
])("%i milliseconds are %s", (age, text) => {
  expect(renderAge(1e12, 1e12 + age)).toBe(text);
});
