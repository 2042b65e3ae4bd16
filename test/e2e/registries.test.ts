import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { isDigest } from "../../src/oci/digest.ts";
import {
  buildOnFreshMachine,
  listPackages,
  makePackages,
  type MachineBuild,
  type MachineOptions,
} from "../support/machines.ts";
import { pushFirstImage } from "../support/pushed-image.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { isMount } from "../support/registry-records.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { validateLayout } from "../support/validate-layout.ts";

// A machine that has nothing, a registry that has the last image.

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });
const other = useRegistry({ auth: "token" });

const count = 12;
let context: string;
let changed: string;
let first: MachineBuild;

beforeAll(async () => {
  await configureAccess(sandbox.directory, other.proxy);
  const options = { count, changes: { p3: 2 }, repository: "app" };
  ({ context, changed, first } = await pushFirstImage(sandbox, service, options));
});

function app(repository = "app"): string {
  return `${service.proxy.host}/${repository}:latest`;
}

function build(args: readonly string[], options: MachineOptions = {}): Promise<MachineBuild> {
  return buildOnFreshMachine(sandbox, context, args, options);
}

function buildChanged(
  args: readonly string[],
  options: MachineOptions = {},
): Promise<MachineBuild> {
  return buildOnFreshMachine(sandbox, changed, args, options);
}

function sizeOf(build: MachineBuild, status: string): number {
  const layers = build.metadata.layers.filter((layer) => layer.status === status);
  return layers.reduce((sum, layer) => sum + layer.size, 0);
}

/** The image as another user of the registry gets it, checked as a whole. */
async function expectPushed(name: string, { metadata }: MachineBuild): Promise<void> {
  const layout = join(sandbox.directory, `pulled-${Math.random()}`);
  await sandbox.exec(
    "skopeo",
    "copy",
    "-q",
    "--preserve-digests",
    `docker://${name}`,
    `oci:${layout}:x`,
  );
  expect(await validateLayout(layout)).toEqual([]);
  const blobs = await readdir(join(layout, "blobs", "sha256"));
  expect(blobs).toContain(metadata.digest.replace("sha256:", ""));
}

/** Digests of all layers but this one. */
const listKept = (one: MachineBuild): readonly string[] =>
  one.metadata.layers.filter((layer) => layer.name !== "p3-2").map((layer) => layer.digest);

describe("a machine that has nothing", () => {
  test("the first push sends each layer once, and what is pushed is whole", async () => {
    expect(first.layers.every((layer) => layer.endsWith(" new"))).toBe(true);
    await expectPushed(app(), first);
  });

  test("nothing changed: nothing is built, loaded or sent", async () => {
    service.proxy.reset();
    const again = await build(["-t", app(), "--push"]);
    expect(again.builds).toEqual([]);
    expect(again.metadata).toMatchObject({ upToDate: true, digest: first.metadata.digest });
    expect(service.proxy.uploaded()).toBe(0);
    // Manifest and config, and no layer.
    expect(service.proxy.blobDownloads()).toHaveLength(1);
    expect(await readdir(join(again.store, "blobs", "sha256"))).toHaveLength(2);
  });

  test("one package changed: its layer goes up, nothing but manifest and config comes down", async () => {
    await sandbox.exec("skopeo", "copy", "-q", `docker://${app()}`, `docker://${app("one")}`);
    service.proxy.reset();
    const built = await buildChanged(["-t", app("one"), "--push"]);
    const expected = first.layers.map((layer) =>
      layer === "p3-1 new" ? "p3-2 new" : layer.replace(" new", " kept"),
    );
    expect(built.layers).toEqual(expected);
    expect(service.proxy.blobDownloads()).toHaveLength(1);
    // The layer and the config.
    expect(service.proxy.uploaded()).toBeLessThan(sizeOf(built, "new") + 32 * 1024);
    expect(service.proxy.uploaded(service.proxy.blobUploads())).toBeGreaterThan(
      sizeOf(built, "new"),
    );
    expect(listKept(built)).toEqual(
      first.metadata.layers.filter((layer) => layer.name !== "p3-1").map((layer) => layer.digest),
    );
    await expectPushed(app("one"), built);
  });

  test("to another repository of the registry: nothing is sent, the layers are mounted", async () => {
    service.proxy.reset();
    const built = await build(["--cache-from", app(), "-t", app("second"), "--push"]);
    expect(built.builds).toEqual([]);
    const sent = service.proxy.uploaded(service.proxy.blobUploads());
    expect(sent).toBeLessThan(16 * 1024);
    expect(
      service.proxy.mounts().filter(({ status }) => status === 201).length,
    ).toBeGreaterThanOrEqual(count);
    expect(service.proxy.blobDownloads()).toHaveLength(1);
    await expectPushed(app("second"), built);
  });

  test("a registry that declines mounts: the layers are fetched, and pushed", async () => {
    const rule = service.proxy.fault({ match: isMount, dropQuery: true });
    service.proxy.reset();
    const built = await build(["--cache-from", app(), "-t", app("declined"), "--push"]);
    rule.remove();
    expect(service.proxy.blobDownloads().length).toBeGreaterThanOrEqual(count + 1);
    await expectPushed(app("declined"), built);
  });

  test("to another registry: every layer comes once and goes once", async () => {
    service.proxy.reset();
    other.proxy.reset();
    const name = `${other.proxy.host}/there/app:1`;
    const built = await buildChanged(["--cache-from", app(), "-t", name, "--push"]);
    // Those that are kept, and the config.
    const downloads = service.proxy.blobDownloads().filter(({ status }) => status === 200);
    expect(downloads).toHaveLength(count);
    expect(service.proxy.uploaded()).toBe(0);
    const uploads = other.proxy.blobUploads().filter(({ sent }) => sent > 0);
    expect(uploads).toHaveLength(count + 1);
    await expectPushed(name, built);
  });

  test("into the engine's storage and an archive: exactly what is not here is fetched", async () => {
    service.proxy.reset();
    const archive = join(sandbox.directory, "app.tar");
    const words = [
      "--cache-from",
      app(),
      "-t",
      app("one"),
      "--load",
      "-o",
      `oci-archive:${archive}:app`,
    ];
    const built = await buildChanged(words);
    expect(service.proxy.blobDownloads()).toHaveLength(count);
    const id = await sandbox.exec(
      "buildah",
      "inspect",
      "--type=image",
      "--format={{.FromImageID}}",
      app("one"),
    );
    expect(`sha256:${id}`).toBe(built.metadata.configDigest);
    const list = await sandbox.exec("skopeo", "inspect", `oci-archive:${archive}:app`);
    expect(list).toContain(built.metadata.layers[0]?.digest);
    service.proxy.reset();
    // They are in the store now.
    await buildChanged(
      ["--cache-from", app(), "-t", app("one"), "-o", `oci-archive:${archive}:app`],
      {
        store: built.store,
      },
    );
    expect(service.proxy.blobDownloads()).toEqual([]);
  });

  test("the store's next build keeps by reference what an earlier one has kept so", async () => {
    const built = await buildChanged(["--cache-from", app(), "-t", app("chain"), "--push"]);
    await makePackages(`${context}-more`, baseImage, listPackages(count, { p3: 2, p5: 7 }));
    service.proxy.reset();
    const next = await buildOnFreshMachine(
      sandbox,
      `${context}-more`,
      ["-t", app("chain"), "--push"],
      { store: built.store },
    );
    expect(next.layers.filter((layer) => layer.endsWith(" new"))).toEqual(["p5-7 new"]);
    expect(service.proxy.uploaded()).toBeLessThan(sizeOf(next, "new") + 32 * 1024);
    await expectPushed(app("chain"), next);
  });
});

test("96 layers with names as Debian has them, one changed: 32 KiB beside that one", async () => {
  const directory = join(sandbox.directory, "many");
  await mkdir(directory);
  const write = (changed: number): Promise<void> =>
    writeFile(
      join(directory, "Containerfile.x"),
      `FROM ${baseImage}
OUTPUT --inherit-config /layers
RUN i=0; while [ $i -lt 96 ]; do i=$((i + 1)); v=1; [ $i != 7 ] || v=${changed}; \\
      n="libpackage$i-2.36-9+deb12u$v"; mkdir -p /r/$i; echo "$n" > /r/$i/file; \\
      /layers/bin/layer keep "$n" || /layers/bin/layer add "$n" -C /r "$i"; done
`,
    );
  await write(1);
  await buildOnFreshMachine(sandbox, directory, ["-t", app("many"), "--push"]);
  await write(2);
  service.proxy.reset();
  const built = await buildOnFreshMachine(sandbox, directory, ["-t", app("many"), "--push"]);
  expect(built.layers.filter((layer) => layer.endsWith(" kept"))).toHaveLength(95);
  expect(service.proxy.uploaded() - sizeOf(built, "new")).toBeLessThan(32 * 1024);
  // The last image's documents, and what the registry answers; twice as much as went up is no layer.
  expect(service.proxy.downloaded()).toBeLessThan(96 * 1024);
});

test("what stands at the destination already comes before another image of the same inputs", async () => {
  const here = await build(["-t", app("same-a"), "--push"]);
  // Times tell them apart: an image's are whole seconds.
  await setTimeout(1100);
  const there = await build(["-t", app("same-b"), "--push"]);
  expect(there.metadata.digest).not.toBe(here.metadata.digest);
  const again = await build(["--cache-from", app("same-a"), "-t", app("same-b"), "--push"]);
  expect(again.metadata).toMatchObject({ upToDate: true, digest: there.metadata.digest });
});

async function lose(repository: string): Promise<string> {
  const name = app(repository);
  // Content of its own, so that no other repository has it.
  await makePackages(`${context}-${repository}`, baseImage, {
    [`${repository}1`]: 1,
    [`${repository}2`]: 1,
  });
  const built = await buildOnFreshMachine(sandbox, `${context}-${repository}`, [
    "-t",
    name,
    "--push",
  ]);
  const digest = built.metadata.layers[0]?.digest;
  if (!isDigest(digest)) throw new Error("the image has no layer");
  await service.registry.deleteBlob(repository, digest);
  return digest;
}

describe("layers that the registry has no more", () => {
  test("are sent again by whoever has them, though the tag is there", async () => {
    await makePackages(`${context}-mended`, baseImage, { mended1: 1 });
    const words = ["-t", app("mended"), "--push"];
    const built = await buildOnFreshMachine(sandbox, `${context}-mended`, words);
    const digest = built.metadata.layers[0]?.digest;
    if (!isDigest(digest)) throw new Error("the image has no layer");
    await service.registry.deleteBlob("mended", digest);
    const { store } = built;
    const again = await buildOnFreshMachine(sandbox, `${context}-mended`, words, { store });
    expect(again.metadata.upToDate).toBe(true);
    expect(await service.registry.hasBlob("mended", digest)).toBe(true);
  });

  test("are named before the push ends, and built anew", async () => {
    const digest = await lose("lost");
    await makePackages(`${context}-lost`, baseImage, { lost1: 1, lost2: 1, lost3: 1 });
    const built = await buildOnFreshMachine(sandbox, `${context}-lost`, [
      "-t",
      app("lost"),
      "--push",
    ]);
    expect(built.stderr).toContain("layer-gone");
    expect(built.stderr).toContain(digest);
    expect(built.layers).toEqual(["lost1-1 new", "lost2-1 kept", "lost3-1 new"]);
    await expectPushed(app("lost"), built);
  });

  test("also where the image would be up to date", async () => {
    const digest = await lose("lostagain");
    const words = ["-t", app("lostagain"), "--load", "--cache-from", app("lostagain")];
    const built = await buildOnFreshMachine(sandbox, `${context}-lostagain`, words);
    expect(built.stderr).toContain(digest);
    expect(built.layers).toEqual(["lostagain1-1 new", "lostagain2-1 kept"]);
  });
});
