import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTinyProgram } from "../../src/system/tiny-program.ts";
import { emulated, findEmulator, registerEmulator } from "../support/emulators.ts";
import { testedEngines } from "../support/engine.ts";
import { pushPlatforms, pushSingle } from "../support/platform-images.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { useSandbox } from "../support/sandbox.ts";
import { mainFile } from "../support/xbuild.ts";

// Steps of another platform: refused where this machine has nothing to run them, done where an emulator is registered.
// What is registered holds for the whole machine: no other test file may hang on it.

const sandbox = useSandbox();
const service = useRegistry();
const own = process.arch === "arm64" ? "arm64" : "amd64";
const foreign = own === "arm64" ? "amd64" : "arm64";
const machine = { amd64: "x86_64", arm64: "aarch64" };
let name = "";
let directory = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-foreign-"));
  await configureAccess(sandbox.directory, service.proxy);
  name = `${service.proxy.host}/bases/foreign:1`;
  const { registry } = service;
  const platforms = [own, foreign].map((architecture) => ({ os: "linux", architecture }));
  await pushPlatforms({ registry, repository: "bases/foreign" }, platforms);
});

afterAll(async () => {
  await rm(directory, { recursive: true, force: true });
});

test.each(emulated)("the tiny program of %s ends with 0 in its emulator", async (architecture) => {
  const program = createTinyProgram(architecture) ?? new Uint8Array();
  const file = join(directory, architecture);
  await writeFile(file, program);
  await chmod(file, 0o755);
  const emulator = await findEmulator(architecture);
  const { exitCode, signal } = await execa(emulator, [file], { reject: false });
  expect({ exitCode, signal }).toEqual({ exitCode: 0, signal: undefined });
});

test("architectures without one", () => {
  expect(createTinyProgram("sparc64")).toBeUndefined();
});

const platform = `--platform=linux/${foreign}`;

/** Where the RUN stands, and what the error says of it. */
const refused: readonly (readonly [string, string, string])[] = [
  ["before OUTPUT", "FROM BASE\nRUN true\nOUTPUT /layers\nRUN true\n", "2:1"],
  ["behind OUTPUT", "FROM BASE AS one\nOUTPUT /layers\nRUN true\n", "3:1"],
  [
    "in a stage in use",
    "FROM BASE AS one\nFROM one AS two\nRUN true\nFROM --platform=$BUILDPLATFORM BASE\nCOPY --from=two /platform /\nOUTPUT /layers\nRUN true\n",
    "3:1",
  ],
  [
    "in a trigger",
    "FROM BASE AS one\nONBUILD RUN true\nFROM one\nOUTPUT /layers\nRUN true\n",
    "3:1",
  ],
];

describe.each(testedEngines)("%s", (engine) => {
  const flags = [`--engine=${engine}`, "--no-load", platform];

  describe("where nothing is registered", () => {
    test.each(refused)("a RUN %s is refused", async (_, text, place) => {
      const project = await sandbox.project({
        "Containerfile.x": text.replaceAll("BASE", name),
      });
      const { stderr, builds } = await project.fail(1, flags);
      expect(stderr).toContain(`Containerfile.x:${place}: error[platform-cannot-run]: `);
      expect(stderr).toContain(`programs for linux/${foreign}, which this machine cannot`);
      expect(stderr).toContain("hint: install qemu-user-static");
      expect(builds).toEqual([]);
    });

    test("a RUN on a base of another platform that nobody asked for is refused", async () => {
      const { registry } = service;
      const repository = "bases/lonely";
      await pushSingle({ registry, repository }, { os: "linux", architecture: foreign }, "1");
      const lonely = `${service.proxy.host}/${repository}:1`;
      const project = await sandbox.project({
        "Containerfile.x": `FROM ${lonely}\nOUTPUT /layers\nRUN true\n`,
      });
      const { stderr, builds } = await project.fail(1, [`--engine=${engine}`, "--no-load"]);
      expect(stderr).toContain("Containerfile.x:3:1: error[platform-cannot-run]: ");
      expect(stderr).toContain(`hint: name an image for linux/${own} in place of ${lonely}`);
      expect(builds).toEqual([]);
    });

    test("a stage of this machine makes layers for the platform", async () => {
      const project = await sandbox.project({
        "Containerfile.x": `FROM --platform=$BUILDPLATFORM ${name}
ARG TARGETARCH
OUTPUT /layers
RUN mkdir -p /layers/output/layers/one && echo "$TARGETARCH $(uname -m)" > /layers/output/layers/one/made
`,
      });
      const { image, metadata } = await project.build(flags);
      const made = await readFile(join(image.files, "made"), "utf8");
      expect(made).toBe(`${foreign} ${machine[own]}\n`);
      expect(metadata.platform).toMatchObject({ os: "linux", architecture: foreign });
    });

    test("a stage that is not in use is no reason", async () => {
      const project = await sandbox.project({
        "Containerfile.x": `FROM ${name} AS unused\nRUN true\nFROM --platform=$BUILDPLATFORM ${name}\nOUTPUT /layers\nRUN mkdir -p /layers/output/layers/one\n`,
      });
      expect((await project.build(flags)).builds).not.toEqual([]);
    });
  });
});

describe("where an emulator is registered", () => {
  let unregister: (() => Promise<void>) | undefined;
  beforeAll(async () => {
    unregister = await registerEmulator(foreign);
  });
  afterAll(() => unregister?.());

  const text = `FROM BASE
RUN uname -m > /tmp/before
OUTPUT /layers
RUN mkdir -p /layers/output/layers/one && cp /tmp/before /layers/output/layers/one/ && uname -m > /layers/output/layers/one/behind
`;

  test.each(testedEngines)("%s runs the steps", async (engine) => {
    const project = await sandbox.project({ "Containerfile.x": text.replaceAll("BASE", name) });
    const { image, metadata } = await project.build([`--engine=${engine}`, "--no-load", platform]);
    for (const file of ["before", "behind"]) {
      expect(await readFile(join(image.files, file), "utf8")).toBe(`${machine[foreign]}\n`);
    }
    expect(metadata.platform).toMatchObject({ os: "linux", architecture: foreign });
  });

  test("a directory for temporary files that allows no programs changes nothing", async () => {
    const project = await sandbox.project({ "Containerfile.x": text.replaceAll("BASE", name) });
    const words = ["-t", project.name, "--no-load", platform, project.context];
    const place = join(directory, "noexec");
    const script = `mkdir -p "$1" && mount -t tmpfs -o noexec tmpfs "$1" && shift && exec "$@"`;
    const command = ["--mount", "sh", "-c", script, "sh", place, process.execPath, mainFile];
    const env = { ...sandbox.env, TMPDIR: place, XBUILD_STORE: project.store };
    const options = { env, extendEnv: false, reject: false } as const;
    const { exitCode, stdout, stderr } = await execa("unshare", [...command, ...words], options);
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    expect(stdout).toContain("1 layer");
  });
});
