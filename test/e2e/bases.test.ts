import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { buildOnFreshMachine, type MachineBuild } from "../support/machines.ts";
import type { Project } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, runXbuild } from "../support/xbuild.ts";

// OUTPUT --from: the layers of other images below those of the build.

const sandbox = useSandbox();
const service = useRegistry({ auth: "basic" });

let remoteBase: string;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  remoteBase = `${service.proxy.host}/base:1`;
  const labelled = await sandbox.project({
    Containerfile: `FROM ${baseImage}\nENV FROM_BASE=yes\nLABEL base=one\nENTRYPOINT ["/bin/sh"]\nCMD ["-c", "true"]\n`,
  });
  await sandbox.exec("buildah", "build", "-q", "--layers", "-t", remoteBase, labelled.context);
  await sandbox.exec("buildah", "push", "-q", remoteBase);
});

const add =
  "RUN mkdir -p /new/opt && echo hello > /new/opt/hello && /layers/bin/layer add hello -C /new opt\n";

function containerfile(output: string): string {
  return `FROM ${baseImage}\nOUTPUT ${output} /layers\n${add}LABEL own=two\n`;
}

/** The image's documents as the store has them. */
async function readDocuments({ store, metadata }: MachineBuild): Promise<{
  readonly manifest: { readonly annotations: Readonly<Record<string, string>> };
  readonly config: { readonly config: object };
}> {
  const read = (digest: string): Promise<string> =>
    readFile(join(store, "blobs", digest.replace(":", "/")), "utf8");
  return {
    manifest: JSON.parse(await read(metadata.digest)),
    config: JSON.parse(await read(metadata.configDigest)),
  };
}

describe("an image in a registry", () => {
  let project: Project;
  let built: MachineBuild;

  beforeAll(async () => {
    project = await sandbox.project({ "Containerfile.x": containerfile(`--from=${remoteBase}`) });
    service.proxy.reset();
    const words = ["-t", `${service.proxy.host}/onbase:1`, "--push"];
    built = await buildOnFreshMachine(sandbox, project.context, words);
  });

  test("its layers stand by reference, below those of the build, and are mounted", async () => {
    const statuses = built.metadata.layers.map((layer) => layer.status);
    expect(statuses.slice(0, -1).every((status) => status === "base")).toBe(true);
    expect(statuses.at(-1)).toBe("new");
    const raw = await sandbox.exec("skopeo", "inspect", "--raw", `docker://${remoteBase}`);
    const base: { readonly layers: readonly { readonly digest: string }[] } = JSON.parse(raw);
    expect(built.metadata.layers.slice(0, -1).map((layer) => layer.digest)).toEqual(
      base.layers.map((layer) => layer.digest),
    );
    expect(service.proxy.mounts().filter(({ status }) => status === 201).length).toBe(
      base.layers.length,
    );
    const sent = service.proxy.uploaded(service.proxy.blobUploads());
    expect(sent).toBeLessThan(8 * 1024);
  });

  test("its config is what the image starts from, and its name is an annotation", async () => {
    const { manifest, config } = await readDocuments(built);
    expect(config.config).toMatchObject({
      Entrypoint: ["/bin/sh"],
      Cmd: ["-c", "true"],
      Labels: { base: "one", own: "two" },
    });
    expect(JSON.stringify(config.config)).toContain("FROM_BASE=yes");
    const digest = await sandbox.exec(
      "skopeo",
      "inspect",
      "--format={{.Digest}}",
      `docker://${remoteBase}`,
    );
    expect(manifest.annotations).toMatchObject({
      "org.opencontainers.image.base.name": remoteBase,
      "org.opencontainers.image.base.digest": digest,
    });
  });

  test("a rebase knows its base by that, and moves no layer", async () => {
    const newer = await sandbox.project({
      Containerfile: `FROM ${remoteBase}\nRUN echo fixed > /etc/fixed\n`,
    });
    const next = remoteBase.replace(/:1$/, ":2");
    await sandbox.exec("buildah", "build", "-q", "--layers", "-t", next, newer.context);
    await sandbox.exec("buildah", "push", "-q", next);
    service.proxy.reset();
    const image = `docker://${service.proxy.host}/onbase:1`;
    const words = ["rebase", image, "--onto", next, "-t", `${service.proxy.host}/onbase:2`];
    const rebased = await runXbuild(sandbox, words, { env: { XBUILD_STORE: built.store } });
    assertStatus(rebased, 0);
    expect(service.proxy.uploaded(service.proxy.blobUploads())).toBeLessThan(8 * 1024);
    const container = await sandbox.exec("buildah", "from", `${service.proxy.host}/onbase:2`);
    const files = ["/opt/hello", "/etc/fixed"];
    const said = await sandbox.exec("buildah", "run", container, "--", "/bin/cat", ...files);
    await sandbox.exec("buildah", "rm", container);
    expect(said).toBe("hello\nfixed");
  });

  test("loaded, it runs on its base", async () => {
    await buildOnFreshMachine(sandbox, project.context, ["-t", "onbase"], { store: built.store });
    const container = await sandbox.exec("buildah", "from", "localhost/onbase");
    const said = await sandbox.exec(
      "buildah",
      "run",
      container,
      "--",
      "/bin/cat",
      "/opt/hello",
      "/etc/group",
    );
    await sandbox.exec("buildah", "rm", container);
    expect(said).toContain("hello");
    expect(said).toContain("app:x:1000");
  });

  test("another name of the same inputs is up to date", async () => {
    const again = await buildOnFreshMachine(sandbox, project.context, ["-t", "onbase"], {
      store: built.store,
    });
    expect(again.metadata.upToDate).toBe(true);
  });
});

describe("images of the engine's storage", () => {
  test("a stage, and an image that no registry has: equal content keeps its digest", async () => {
    const text = `FROM ${baseImage} AS below
RUN echo below > /below
FROM ${baseImage}
OUTPUT --from=${baseImage} --from=below --inherit-config /layers
${add}`;
    const project = await sandbox.project({ "Containerfile.x": text });
    const first = await project.build(["--no-load"]);
    const names = first.metadata.layers.map((layer) => layer.status);
    expect(names.at(-1)).toBe("new");
    // What the stage has made just now, on its own base.
    expect(names.at(-2)).toBe("new");
    expect(names.slice(0, -2).every((status) => status === "base")).toBe(true);
    expect(await readFile(join(first.image.files, "below"), "utf8")).toBe("below\n");
    expect(await readFile(join(first.image.files, "opt", "hello"), "utf8")).toBe("hello\n");
    const again = await project.build(["--no-load", "--no-cache"]);
    expect(again.metadata.layers.slice(0, 1)).toEqual(first.metadata.layers.slice(0, 1));
  });

  test("a stage at a given time: the same image each time it is built", async () => {
    const text = `FROM ${baseImage} AS below
RUN echo below > /below
FROM ${baseImage}
OUTPUT --from=below /layers
${add}`;
    const project = await sandbox.project({ "Containerfile.x": text });
    const args = ["--no-load", "--no-cache", "--timestamp=1700000000"];
    const first = await project.build(args);
    const again = await project.build(args);
    expect(again.metadata.upToDate).toBe(false);
    expect(again.metadata.digest).toBe(first.metadata.digest);
  });

  test("no layers of its own, and a history that is copied", async () => {
    const text = `FROM ${baseImage}\nOUTPUT --from=${baseImage} /layers\nRUN true\n`;
    const project = await sandbox.project({ "Containerfile.x": text });
    const first = await project.build(["--no-load"]);
    expect(first.metadata.layers.every((layer) => layer.status === "base")).toBe(true);
    await project.write({
      "Containerfile.x": text.replace("RUN true", "RUN cp /layers/history.json /layers/output/"),
    });
    const copied = await project.build(["--no-load"]);
    expect(copied.metadata.digest).toBe(first.metadata.digest);
  });

  test("what the base leaves of the limit is what the build may list", async () => {
    const text = `FROM ${baseImage}\nOUTPUT --from=${baseImage} /layers\nRUN grep -o '"maxLayers": *[0-9]*' /layers/history.json; ${add.slice(4)}`;
    const project = await sandbox.project({ "Containerfile.x": text });
    const layers = await sandbox.exec(
      "buildah",
      "inspect",
      "--type=image",
      "--format={{len .OCIv1.RootFS.DiffIDs}}",
      baseImage,
    );
    const built = await project.build(["--no-load", "--max-layers=10"]);
    expect(built.stdout).toMatch(new RegExp(`"maxLayers": *${10 - Number(layers)}\\b`));
    const failed = await project.fail(1, ["--no-load", `--max-layers=${layers}`]);
    expect(failed.stderr).toContain("layers-too-many");
  });
});
