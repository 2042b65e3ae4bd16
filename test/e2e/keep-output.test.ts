import { lstat, mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

const sandbox = useSandbox();
let directories = 0;

function newDirectory(): string {
  directories += 1;
  return join(sandbox.directory, `kept-${directories}`);
}

const stage = `OUTPUT /l
RUN mkdir -p /l/output/layers/a/opt && echo a > /l/output/layers/a/opt/a && ln -s /etc/passwd /l/output/layers/a/link && mkfifo /l/output/layers/a/pipe
`;

test("of a failing step: the output as it was, for its owner alone, and collect makes an image of it", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage} AS app\n${stage}RUN exit 7\n`,
  });
  const directory = newDirectory();
  const failed = await project.fail(7, ["--keep-output", directory]);
  const kept = join(directory, "app");
  expect(failed.stderr).toContain(`xbuild collect ${kept} checks it again`);
  expect((await lstat(kept)).mode & 0o777).toBe(0o700);
  expect((await lstat(join(kept, "layers", "a", "link"))).isSymbolicLink()).toBe(true);
  expect((await lstat(join(kept, "layers", "a", "pipe"))).isFIFO()).toBe(true);
  const collected = await project.run(["collect", kept, "-t", project.name]);
  assertStatus(collected, 0);
  expect(collected.stdout).toMatch(/^new +\d.* a$/m);

  const again = await project.run([
    "--keep-output",
    directory,
    "-t",
    project.name,
    project.context,
  ]);
  expect(again).toMatchObject({ status: 125, builds: [] });
  expect(again.stderr).toContain("is not empty");
});

test("of output that is refused, and of a build that goes well; a directory a stage and platform", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage} AS base\n${stage}FROM ${baseImage}\nOUTPUT --from=base /l\nRUN mkdir /l/output/layers/b && echo x > /l/output/layers/b.tar\n`,
  });
  const refused = newDirectory();
  const failed = await project.fail(1, ["--keep-output", refused]);
  expect(failed.stderr).toContain("error[layer-");
  expect(failed.stderr).toContain(`xbuild collect ${join(refused, "1")} checks it again`);
  expect(await readdir(refused)).toEqual(["1", "base"]);
  expect(await readFile(join(refused, "1", "layers", "b.tar"), "utf8")).toBe("x\n");

  await project.write({ "Containerfile.x": `FROM ${baseImage} AS base\n${stage}` });
  const directory = newDirectory();
  const platforms = "--platform=linux/amd64,linux/arm64";
  const flags = ["--no-cache", "--no-load", platforms, "--pull=never"];
  const text = `FROM --platform=$BUILDPLATFORM ${baseImage} AS base\nARG TARGETARCH\n${stage}`;
  await project.write({ "Containerfile.x": text });
  const words = [...flags, "--keep-output", directory, "-t", project.name, project.context];
  assertStatus(await project.run(words), 0);
  expect(await readdir(directory)).toEqual(["linux-amd64", "linux-arm64"]);
  expect(await readdir(join(directory, "linux-arm64", "base", "layers"))).toEqual(["a"]);
});

test("on another file system it is copied; where there is no room, a warning says so and nothing is left", async () => {
  const place = newDirectory();
  await mkdir(place);
  await execa("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", place]);
  onTestFinished(async () => void (await execa("umount", [place])));
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage} AS app\n${stage}`,
  });
  const options = { allowMounts: [place] };
  const flags = ["--no-load", "--keep-output"];
  await project.build([...flags, join(place, "one")], options);
  expect(await readdir(join(place, "one", "app", "layers", "a"))).toEqual(["link", "opt", "pipe"]);

  const large = "RUN head -c 2000000 /dev/urandom > /l/output/layers/a/large; exit 7\n";
  await project.write({ "Containerfile.x": `FROM ${baseImage} AS app\n${stage}${large}` });
  const failed = await project.fail(7, [...flags, join(place, "two")], options);
  expect(failed.stderr).toContain("warning[output-not-kept]");
  expect(failed.stderr).toContain("No space left on device");
  expect(failed.stderr).not.toContain("checks it again");
  expect(await readdir(join(place, "two"))).toEqual([]);
});
