import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { digestBytes, digestHex } from "../../src/oci/digest.ts";
import { buildOnFreshMachine, type MachineBuild } from "../support/machines.ts";
import { createTestLayer } from "../support/images.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// Previous images on this machine, of every kind that there is: read, or a clear error, and never "not there".

const sandbox = useSandbox();

let context: string;
beforeAll(async () => {
  context = join(sandbox.directory, "context");
  await mkdir(context);
  const text = `FROM ${baseImage}\nOUTPUT /layers\nRUN for n in one two; do /layers/bin/layer keep $n || /layers/bin/layer add $n /etc; done\n`;
  await writeFile(join(context, "Containerfile.x"), text);
});

function build(reference: string, status = 0, more: readonly string[] = []): Promise<MachineBuild> {
  const args = ["-t", "app", "--no-load", "--cache-from", reference, ...more];
  return buildOnFreshMachine(sandbox, context, args, { status });
}

const docker = {
  manifest: "application/vnd.docker.distribution.manifest.v2+json",
  config: "application/vnd.docker.container.image.v1+json",
  layer: "application/vnd.docker.image.rootfs.diff.tar.gzip",
  foreign: "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
};
const oci = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.oci.image.config.v1+json",
  layer: "application/vnd.oci.image.layer.v1.tar+gzip",
  foreign: "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
};

interface LayoutOptions {
  readonly types?: typeof oci;
  /** The second layer has addresses of its own, and its bytes are not there. */
  readonly foreign?: "here" | "elsewhere";
  /** Of the one entry of an index. */
  readonly platform?: object;
  readonly name?: string;
}

/** Writes a layout with one image of two layers. @returns its directory */
async function writeLayout(path: string, options: LayoutOptions = {}): Promise<string> {
  const { types = oci, foreign, platform, name = "x" } = options;
  const directory = join(sandbox.directory, path);
  const blobs = join(directory, "blobs/sha256");
  await mkdir(blobs, { recursive: true });
  const put = async (bytes: Uint8Array, isHere = true) => {
    const digest = digestBytes(bytes);
    if (isHere) await writeFile(join(blobs, digestHex(digest)), bytes);
    return { digest, size: bytes.byteLength };
  };
  const putJson = (value: object) => put(Buffer.from(JSON.stringify(value)));
  const layers = await Promise.all(["one", "two"].map((one) => createTestLayer(one, one)));
  const [first, second] = layers;
  if (first === undefined || second === undefined) throw new Error("there are two");
  const config = await putJson({
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: layers.map((one) => one.diffId) },
    history: [{ created_by: "one" }, { created_by: "two" }],
  });
  const urls = foreign === undefined ? {} : { urls: ["http://127.0.0.1:1/two"] };
  const manifest = await putJson({
    schemaVersion: 2,
    mediaType: types.manifest,
    config: { mediaType: types.config, ...config },
    layers: [
      { mediaType: types.layer, ...(await put(first.bytes)) },
      {
        mediaType: foreign === undefined ? types.layer : types.foreign,
        ...(await put(second.bytes, foreign !== "elsewhere")),
        ...urls,
      },
    ],
  });
  const annotations = { "org.opencontainers.image.ref.name": name };
  const entry = { mediaType: types.manifest, ...manifest };
  const index = { schemaVersion: 2, manifests: [platform ? { ...entry, platform } : entry] };
  const listed = platform && {
    mediaType: "application/vnd.oci.image.index.v1+json",
    ...(await putJson({ ...index, mediaType: "application/vnd.oci.image.index.v1+json" })),
  };
  const top = { ...(listed ?? entry), annotations };
  await writeFile(join(directory, "index.json"), JSON.stringify({ ...index, manifests: [top] }));
  await writeFile(join(directory, "oci-layout"), '{"imageLayoutVersion":"1.0.0"}');
  return directory;
}

const kept = ["one kept", "two kept"];

describe("oci:", () => {
  test("Docker's manifest: OCI's types of the same bytes", async () => {
    const directory = await writeLayout("docker", { types: docker });
    const built = await build(`oci:${directory}:x`);
    expect(built.layers).toEqual(kept);
    expect(built.metadata.layers.map((layer) => layer.mediaType)).toEqual([oci.layer, oci.layer]);
  });

  test.each([{ variant: "v2" }, { variant: "v1" }, {}])(
    "an index of amd64 %j alone",
    async (more) => {
      const platform = { os: "linux", architecture: "amd64", ...more };
      const directory = await writeLayout(`index-${JSON.stringify(more).length}`, { platform });
      expect((await build(`oci:${directory}:x`)).layers).toEqual(kept);
    },
  );

  test("an index of another architecture alone is an error that names what there is", async () => {
    const platform = { os: "linux", architecture: "arm64", variant: "v8" };
    const directory = await writeLayout("arm", { platform });
    const { stderr, builds } = await build(`oci:${directory}:x`, 1);
    expect(stderr).toContain("error[image-unsupported]");
    expect(stderr).toContain("no image for linux/amd64, but for linux/arm64/v8");
    expect(builds).toEqual([]);
  });

  test.each([
    ["a layer is missing", "layers"],
    ["a layer has other bytes", "change"],
    ["the config is missing", "config"],
  ])("%s: an error, and not an empty history", async (_, what) => {
    const directory = await writeLayout(`broken-${what}`);
    const index: { manifests: { digest: `sha256:${string}` }[] } = JSON.parse(
      await readFile(join(directory, "index.json"), "utf8"),
    );
    const blobs = join(directory, "blobs/sha256");
    const name = digestHex(index.manifests[0]?.digest ?? "sha256:");
    const manifest: Record<string, { digest: `sha256:${string}` }[]> &
      Record<"config", { digest: `sha256:${string}` }> = JSON.parse(
      await readFile(join(blobs, name), "utf8"),
    );
    const digest = what === "config" ? manifest.config.digest : manifest["layers"]?.[0]?.digest;
    const path = join(blobs, digestHex(digest ?? "sha256:"));
    await (what === "change" ? writeFile(path, gzipSync("other")) : rm(path));
    const { stderr, builds } = await build(`oci:${directory}:x`, 1);
    expect(stderr).toContain("error[image-invalid]");
    expect(stderr).toContain(`oci:${directory}:x`);
    expect(builds).toEqual([]);
  });

  test("another name, and no layout at all: an empty history", async () => {
    const directory = await writeLayout("named");
    for (const reference of [`oci:${directory}:other`, `oci:${directory}-not:x`]) {
      const built = await build(reference);
      expect(built.layers).toEqual(["one new", "two new"]);
      expect(built.stderr).toContain("not there yet");
    }
  });

  test("without a name, the only one", async () => {
    expect((await build(`oci:${await writeLayout("only")}`)).layers).toEqual(kept);
  });

  test("a directory with colons in its name", async () => {
    expect((await build(`oci:${await writeLayout("co:lo:ns")}:x`)).layers).toEqual(kept);
  });
});

describe("a layer that is said to be elsewhere", () => {
  test.each([
    ["oci:, with its bytes", "here", oci],
    ["oci:, without them", "elsewhere", oci],
    ["Docker's types, with its bytes", "here", docker],
    ["Docker's types, without them", "elsewhere", docker],
  ] as const)("%s: kept with its address", async (_, foreign, types) => {
    const path = `foreign-${foreign}-${types.layer.length}`;
    const built = await build(`oci:${await writeLayout(path, { foreign, types })}:x`);
    expect(built.layers).toEqual(kept);
    expect(built.metadata.layers[1]?.mediaType).toBe(oci.foreign);
    expect(await readFile(join(built.store, "index.json"), "utf8")).toContain("localhost/app");
  });

  test.each([
    ["dir:", "here"],
    ["dir:", "elsewhere"],
    ["oci-archive:", "here"],
    ["docker-archive:", "here"],
    ["containers-storage:", "here"],
  ] as const)("%s, its bytes being %s", async (transport, foreign) => {
    const types = transport === "dir:" ? docker : oci;
    const name = `copy-${transport.slice(0, -1)}-${foreign}`;
    const layout = await writeLayout(name, { foreign, types });
    const place = join(sandbox.directory, `${name}-copied`);
    const reference =
      transport === "dir:" ? await writeDir(layout, place) : await copyTo(transport, layout, place);
    const built = await build(reference);
    expect(built.layers).toEqual(kept);
  });
});

/** What `skopeo copy` would make of it, had it somewhere to fetch the layer from. dir: has no specification. */
async function writeDir(layout: string, place: string): Promise<string> {
  await cp(join(layout, "blobs/sha256"), place, { recursive: true });
  const index: { manifests: { digest: `sha256:${string}` }[] } = JSON.parse(
    await readFile(join(layout, "index.json"), "utf8"),
  );
  const digest = index.manifests[0]?.digest ?? "sha256:";
  await cp(join(place, digestHex(digest)), join(place, "manifest.json"));
  await writeFile(join(place, "version"), "Directory Transport Version: 1.1\n");
  return `dir:${place}`;
}

async function copyTo(transport: string, layout: string, place: string): Promise<string> {
  // skopeo takes a layer's bytes for there where it has no address.
  const plain = await writeLayout(`${layout.split("/").at(-1)}-plain`);
  const reference =
    transport === "containers-storage:"
      ? "containers-storage:localhost/foreign:x"
      : `${transport}${place}:localhost/foreign:x`;
  await sandbox.exec("skopeo", "copy", "-q", `oci:${plain}:x`, reference);
  return reference;
}

describe("not there, by our own look", () => {
  test.each([
    "dir:/nowhere",
    "oci-archive:/nowhere.tar",
    "docker-archive:/nowhere.tar:app:x",
    "containers-storage:localhost/none:x",
    "containers-storage:[overlay@/nowhere/graph+/nowhere/run]localhost/none:x",
  ])("%s is an empty history", async (reference) => {
    const built = await build(reference);
    expect(built.layers).toEqual(["one new", "two new"]);
  });

  test("an archive that is none is an error", async () => {
    const path = join(sandbox.directory, "no.tar");
    await writeFile(path, "this is no such file or directory, and not found either");
    const { stderr, builds } = await build(`docker-archive:${path}`, 1);
    expect(stderr).toContain("error[copy-failed]");
    expect(stderr).toContain(path);
    expect(builds).toEqual([]);
  });
});
