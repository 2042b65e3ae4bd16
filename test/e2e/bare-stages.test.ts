import { beforeAll, expect, test } from "vitest";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// OUTPUT right behind FROM: the environment is the base image itself, and the engine is not asked to build it.

const sandbox = useSandbox();
const base = "localhost/bare-base";

beforeAll(async () => {
  const { context } = await sandbox.project({
    Containerfile: `FROM ${baseImage}\nENV OF_BASE=yes\nCMD ["/bin/true"]\n`,
  });
  await sandbox.exec("buildah", "build", "-q", "--layers=false", "-t", base, context);
});

const part = `FROM ${baseImage} AS part
OUTPUT /layers
RUN echo one > /one && /layers/bin/layer add one /one
`;

test("a stage that is --from alone asks the engine for no step, and has its base's config", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `${part}FROM ${base} AS whole\nOUTPUT --from=part --inherit-config /layers\n`,
  });
  const { stdout, builds, layers, image } = await project.build(["--no-load"]);
  expect(stdout).toContain("[part] ");
  expect(stdout).not.toContain("[whole] ");
  expect(builds).toHaveLength(1);
  expect(layers).toHaveLength(1);
  expect(image.config.config).toMatchObject({ Cmd: ["/bin/true"] });
  expect(image.config.config?.Env).toContain("OF_BASE=yes");
});

test("steps behind OUTPUT run in the base image", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${base}\nOUTPUT /layers\nRUN echo $OF_BASE > /one && /layers/bin/layer add one /one\nCMD ["/one"]\n`,
  });
  const { image, layers } = await project.build(["--no-load"]);
  expect(layers).toEqual(["one new"]);
  expect(image.config.config).toEqual({ Cmd: ["/one"] });
  expect(await sandbox.exec("buildah", "images", "--quiet", base)).not.toBe("");
});

test("triggers of the base fire", async () => {
  const { context } = await sandbox.project({
    Containerfile: `FROM ${baseImage}\nONBUILD RUN echo fired > /fired\n`,
  });
  const name = "localhost/bare-triggers";
  const build = ["build", "-q", "--layers=false", "--format=docker", "-t", name, context];
  await sandbox.exec("buildah", ...build);
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${name}\nOUTPUT /layers\nRUN /layers/bin/layer add fired /fired\n`,
  });
  const { layers } = await project.build(["--no-load"]);
  expect(layers).toEqual(["fired new"]);
});
