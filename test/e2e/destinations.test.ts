import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { mainFile } from "../support/xbuild.ts";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { validateLayout } from "../support/validate-layout.ts";

const sandbox = useSandbox();
let project: Project;
let out: string;

const containerfile = `FROM ${baseImage}
RUN mkdir /app && echo one > /app/one
OUTPUT /layers
RUN /layers/bin/layer add app /app
RUN /layers/bin/layer add etc /etc
`;

beforeAll(async () => {
  project = await sandbox.project({ "Containerfile.x": containerfile });
  out = join(sandbox.directory, "out");
  await mkdir(out);
});

test("-o oci:DIR writes beside what is there, and loads nothing", async () => {
  const directory = join(out, "layout");
  const first = await project.build(["-o", `oci:${directory}:one`]);
  await project.build(["-o", `oci:${directory}`, "--label", "a=b"]);
  expect(await project.findLoaded()).toBeUndefined();
  expect(await validateLayout(directory)).toEqual([]);
  const inspect = (name: string): Promise<string> =>
    sandbox.exec("skopeo", "inspect", "--format={{.Digest}}", `oci:${directory}:${name}`);
  expect(await inspect("one")).toBe(first.metadata.digest);
  expect(await inspect(project.name)).not.toBe(first.metadata.digest);
});

describe("archives", () => {
  test.each([["oci-archive"], ["docker-archive"]])("-o %s:FILE[:NAME]", async (kind) => {
    const file = join(out, kind);
    await writeFile(file, "what stood here before");
    const built = await project.build(["-o", `${kind}:${file}`]);
    const source = `${kind}:${file}`;
    const config: { rootfs: { diff_ids: readonly string[] } } = JSON.parse(
      await sandbox.exec("skopeo", "inspect", "--config", "--raw", source),
    );
    expect(config.rootfs.diff_ids).toEqual(built.metadata.layers.map((layer) => layer.diffId));
    expect(await sandbox.exec("podman", "load", "--quiet", "-i", file)).toContain(project.name);
    await sandbox.exec("podman", "rmi", project.name);
    await project.build(["-o", `${kind}:${file}2:localhost/named:v1`]);
    expect(await sandbox.exec("podman", "load", "--quiet", "-i", `${file}2`)).toContain(
      "localhost/named:v1",
    );
    await sandbox.exec("podman", "rmi", "localhost/named:v1");
  });

  test("an archive of an image with zstd layers for Docker, which has none", async () => {
    const zstd = await sandbox.project({
      "Containerfile.x": containerfile.replace("OUTPUT", "OUTPUT --compression=zstd"),
    });
    const file = join(out, "zstd.tar");
    await zstd.build(["-o", `docker-archive:${file}`]);
    expect(await sandbox.exec("podman", "load", "--quiet", "-i", file)).toContain(zstd.name);
    await sandbox.exec("podman", "rmi", zstd.name);
  });

  test("a failing build leaves the archive alone", async () => {
    const file = join(out, "kept");
    await writeFile(file, "kept");
    const failing = await sandbox.project({ "Containerfile.x": `${containerfile}RUN exit 7\n` });
    await failing.fail(7, ["-o", `oci-archive:${file}`, "-o", `oci:${file}-layout`]);
    expect(await readFile(file, "utf8")).toBe("kept");
    expect(await readdir(out)).not.toContain("kept-layout");
  });
});

describe("files", () => {
  test.each([
    ["PATH", (path: string) => path],
    ["type=local,dest=PATH", (path: string) => `type=local,dest=${path}`],
  ])("-o %s", async (name, render) => {
    const path = join(out, `local-${name.length}`);
    await project.build(["-o", render(path)]);
    expect((await readdir(path)).sort()).toEqual(["app", "etc"]);
    expect(await readFile(join(path, "app/one"), "utf8")).toBe("one\n");
  });

  test("-o type=tar,dest=FILE", async () => {
    const file = join(out, "files.tar");
    await project.build(["-o", `type=tar,dest=${file}`]);
    const list = await sandbox.exec("tar", "-tf", file);
    expect(list.split("\n")).toEqual(expect.arrayContaining(["app/one", "etc/passwd"]));
  });

  test("-o - writes the tar alone to standard output", async () => {
    const { stdout, exitCode } = await execa(
      process.execPath,
      [mainFile, "-t", project.name, "-o", "-", project.context],
      { env: { ...sandbox.env, XBUILD_STORE: project.store }, encoding: "buffer", reject: false },
    );
    expect(exitCode).toBe(0);
    const { stdout: list } = await execa("tar", ["-tf", "-"], { input: stdout });
    expect(list.split("\n")).toEqual(expect.arrayContaining(["app/one", "etc/passwd"]));
  });
});
