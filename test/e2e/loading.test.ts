import { chmod, mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { digestBytes } from "../../src/oci/digest.ts";
import { buildOnFreshMachine, type MachineBuild } from "../support/machines.ts";
import { pushFirstImage } from "../support/pushed-image.ts";
import { useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// What is written into the engine's storage, and what is fetched for it.

const sandbox = useSandbox();

async function countStoredLayers(): Promise<number> {
  const file = join(sandbox.directory, "graph/overlay-layers/layers.json");
  const layers: readonly unknown[] = JSON.parse(await readFile(file, "utf8"));
  return layers.length;
}

test("layers are written from the lowest changed one on, and none where nothing changed", async () => {
  const parts = ["1", "2", "3", "4", "5", "6"];
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
OUTPUT /layers
COPY part-* /parts/
RUN for part in ${parts.join(" ")}; do /layers/bin/layer add "p$part" "/parts/part-$part"; done
`,
    ...Object.fromEntries(parts.map((part) => [`part-${part}`, `${part}\n`])),
  });
  await project.build();
  const writtenBy = async (part?: string): Promise<number> => {
    const before = await countStoredLayers();
    if (part !== undefined) await project.write({ [`part-${part}`]: "changed\n" });
    const { metadata } = await project.build();
    expect(`sha256:${await project.findLoaded()}`).toBe(metadata.configDigest);
    return (await countStoredLayers()) - before;
  };
  expect(await writtenBy("6")).toBe(1);
  expect(await writtenBy()).toBe(0);
  expect(await writtenBy("2")).toBe(5);
});

describe("layers that are in a registry and in the engine's storage", () => {
  const service = useRegistry();
  const count = 6;
  const loaded = "localhost/loaded:latest";
  let changed: string;
  const app = (): string => `${service.proxy.host}/app:latest`;

  beforeAll(async () => {
    const options = { count, changes: { p3: 2 }, repository: "app" };
    ({ changed } = await pushFirstImage(sandbox, service, options));
  });

  async function build({
    env = {},
    format = "oci",
  }: {
    readonly env?: Readonly<Record<string, string>>;
    readonly format?: string;
  } = {}): Promise<MachineBuild> {
    await sandbox.exec("sh", "-c", `buildah rmi --force ${loaded} || :`);
    await sandbox.exec("buildah", "pull", "--quiet", "--policy=always", `docker://${app()}`);
    service.proxy.reset();
    const args = ["--cache-from", app(), "-t", loaded, `--format=${format}`];
    const { layers: made, store } = await buildOnFreshMachine(sandbox, changed, [
      ...args,
      "--no-load",
    ]);
    expect(made.filter((layer) => layer.endsWith(" kept"))).toHaveLength(count - 1);
    const built = await buildOnFreshMachine(sandbox, changed, args, { env, store });
    const place = `containers-storage:${loaded}`;
    const bytes = await sandbox.exec("skopeo", "inspect", "--raw", place);
    const manifest: { readonly layers: readonly unknown[] } = JSON.parse(bytes);
    const layers = built.metadata.layers.map(({ digest }) => expect.objectContaining({ digest }));
    expect(manifest.layers).toEqual(layers);
    // Docker's manifest is another one.
    const digest = digestBytes(Buffer.from(bytes));
    expect([built.metadata.digest, ...(format === "docker" ? [digest] : [])]).toContain(digest);
    return built;
  }

  function listFetched({ metadata }: MachineBuild): readonly string[] {
    const paths = service.proxy.blobDownloads().map(({ path }) => path);
    const digests = metadata.layers.map(({ digest }) => digest);
    return digests.filter((digest) => paths.some((path) => path.includes(digest)));
  }

  test.each(["oci", "docker"])("they are not fetched to be loaded (%s)", async (format) => {
    expect(listFetched(await build({ format }))).toEqual([]);
  });

  test("what was there a moment ago and is gone is fetched after all", async () => {
    const bin = join(sandbox.directory, "removing");
    await mkdir(bin);
    const [mark, skopeo] = [join(bin, "mark"), join(sandbox.directory, "bin/skopeo")];
    const script = `#!/bin/sh
case "$*" in
*" containers-storage:${loaded}") [ -e ${mark} ] || { : >${mark}; buildah rmi --force ${loaded} ${app()} >&2; } ;;
esac
exec ${skopeo} "$@"
`;
    await writeFile(join(bin, "skopeo"), script);
    await chmod(join(bin, "skopeo"), 0o755);
    const built = await build({ env: { PATH: `${bin}${delimiter}${sandbox.env["PATH"] ?? ""}` } });
    expect(await readFile(mark, "utf8")).toBe("");
    expect(listFetched(built)).toHaveLength(count - 1);
  });
});
