import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { digestBytes, digestHex } from "../../oci/oci.ts";
import { readLayout } from "./read-layout.ts";

interface Layout {
  readonly directory: string;
  readonly index: string;
  readonly manifest: string;
  readonly config: string;
  readonly layer: string;
}

interface Given {
  readonly index?: unknown;
  readonly manifest?: Readonly<Record<string, unknown>>;
  readonly config?: Readonly<Record<string, unknown>> | string;
}

const diffId = digestBytes(Buffer.from("layer"));
const plain = {
  os: "linux",
  architecture: "arm64",
  rootfs: { type: "layers", diff_ids: [diffId] },
};

/** As a builder fills it; the paths are those of its files. */
function createLayout(given: Given = {}): Layout {
  const directory = mkdtempSync(join(tmpdir(), "xbuild-layout-"));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  mkdirSync(join(directory, "blobs/sha256"), { recursive: true });
  const write = (value: unknown): { readonly digest: string; readonly path: string } => {
    const bytes = Buffer.from(typeof value === "string" ? value : JSON.stringify(value));
    const digest = digestBytes(bytes);
    const path = join(directory, "blobs/sha256", digestHex(digest));
    writeFileSync(path, bytes);
    return { digest, path };
  };
  const layer = write("layer");
  const own = given.config;
  const config = write(typeof own === "string" ? own : { ...plain, ...own });
  const manifest = write({ layers: [layer], config, ...given.manifest });
  const index = join(directory, "index.json");
  writeFileSync(index, JSON.stringify(given.index ?? { manifests: [{ digest: manifest.digest }] }));
  return {
    directory,
    index,
    manifest: manifest.path,
    config: config.path,
    layer: layer.path,
  };
}

const failure = { code: "engine-failed", hint: expect.stringContaining("another builder") };
const read = ({ directory }: Layout, platform?: string): Promise<unknown> =>
  readLayout(directory, platform);

describe("a builder's layout", () => {
  it("has a manifest and a config", async () => {
    const layout = createLayout();
    const { config } = await readLayout(layout.directory, "linux/arm64");
    expect(JSON.parse(Buffer.from(config).toString())).toEqual(plain);
  });

  it("need have no layers, nor lists of them", async () => {
    const rootfs = { type: "layers", diff_ids: null };
    const layout = createLayout({ manifest: { layers: null }, config: { rootfs } });
    const { config } = await readLayout(layout.directory);
    expect(Buffer.from(config).toString()).toContain('"diff_ids":[]');
  });

  const places = ["index", "manifest", "config", "layer"] as const;
  const replacements: readonly (readonly [string, (path: string) => void])[] = [
    ["nothing", () => undefined],
    ["a directory", (path) => mkdirSync(path)],
    ["a FIFO", (path) => execFileSync("mkfifo", [path])],
    ["a link to a device", (path) => symlinkSync("/dev/zero", path)],
    ["a link to a file", (path) => symlinkSync(`${path}.old`, path)],
  ];
  describe.each(places)("with something else in the place of its %s", (place) => {
    it.each(replacements)("is refused: %s", async (_, replace) => {
      const layout = createLayout();
      renameSync(layout[place], `${layout[place]}.old`);
      replace(layout[place]);
      await expect(read(layout)).rejects.toMatchObject(failure);
    });
  });

  it.each(["manifest", "config"] as const)("has the %s that the digest says", async (place) => {
    const layout = createLayout();
    writeFileSync(layout[place], JSON.stringify({ ...plain, config: { User: "root" } }));
    await expect(read(layout)).rejects.toMatchObject({
      ...failure,
      message: expect.stringContaining("has another digest"),
    });
  });

  it.each(["blobs", "blobs/sha256"])("has no link in the place of %s", async (name) => {
    const layout = createLayout();
    const path = join(layout.directory, name);
    renameSync(path, join(layout.directory, "old"));
    symlinkSync(join(layout.directory, "old"), path);
    await expect(read(layout)).rejects.toMatchObject(failure);
  });

  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  it.each<readonly [string, Given]>([
    ["no image", { index: { manifests: [] } }],
    ["no list of images", { index: [] }],
    ["a digest that is none", { index: { manifests: [{ digest: "sha256:../../x" }] } }],
    ["no config", { manifest: { config: undefined } }],
    ["a layer without a digest", { manifest: { layers: [{}] } }],
    [
      "a layer that did not come",
      { manifest: { layers: [{ digest: `sha256:${"0".repeat(64)}` }] } },
    ],
    ["a config that is nested deep", { config: deep }],
    ["a huge config", { config: { author: "x".repeat(4 * 1024 ** 2) } }],
    ["a config that is no JSON", { config: "{" }],
    ["a config that is no config", { config: { rootfs: 1 } }],
  ])("is refused with %s", async (_, given) => {
    await expect(read(createLayout(given))).rejects.toMatchObject(failure);
  });

  it("is refused where nothing came", async () => {
    const layout = createLayout();
    rmSync(join(layout.directory, "blobs"), { recursive: true });
    await expect(read(layout)).rejects.toMatchObject(failure);
  });

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ["linux/amd64", {}],
    ["darwin/arm64", {}],
    ["linux/arm/v6", { architecture: "arm", variant: "v7" }],
  ])("is refused where it is not for %s", async (platform, config) => {
    await expect(read(createLayout({ config }), platform)).rejects.toMatchObject({
      ...failure,
      message: expect.stringContaining(`${platform} was asked for`),
    });
  });

  it.each<readonly [string, Readonly<Record<string, string>>]>([
    ["linux/arm64/v8", {}],
    ["linux/aarch64", { variant: "v8" }],
    ["linux/arm/v7", { architecture: "arm", variant: "v7" }],
    ["linux/arm/v6", { architecture: "arm" }],
  ])("may be for %s", async (platform, config) => {
    await expect(read(createLayout({ config }), platform)).resolves.toBeDefined();
  });
});
