import { join } from "node:path";
import { mkdir, writeFile } from "node:fs/promises";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { testedEngines } from "../support/engine.ts";
import { pushPlatforms, pushSingle, type PushedEntry } from "../support/platform-images.ts";
import { readFile } from "node:fs/promises";
import type { Project } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

// The image of a name for a platform: which one it is, what is asked for it, and that no name of the user's moves.

const sandbox = useSandbox();
const service = useRegistry();

const own = process.arch === "arm64" ? "arm64" : "amd64";
const foreign = own === "arm64" ? "amd64" : "arm64";
const ownPlatform = { os: "linux", architecture: own };
const others = [
  { os: "linux", architecture: foreign, ...(foreign === "arm64" ? { variant: "v8" } : {}) },
  { os: "linux", architecture: "arm", variant: "v7" },
  { os: "linux", architecture: "arm", variant: "v6" },
  { os: "linux", architecture: "riscv64" },
];
let name = "";
let images: ReadonlyMap<string, PushedEntry>;
const repository = "bases/multi";

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  name = `${service.proxy.host}/${repository}:1`;
  const { registry } = service;
  images = await pushPlatforms({ registry, repository }, [ownPlatform, ...others]);
});

/** All that an earlier test has taken into the storage. */
beforeEach(async () => {
  const names = await listNames(new RegExp(`^(?:${service.proxy.host}/|localhost/xbuild-)`));
  for (const one of names.keys()) await sandbox.exec("buildah", "rmi", one);
});

async function listNames(pattern: RegExp): Promise<ReadonlyMap<string, string>> {
  const format = "--format={{.ID}} {{.Name}}:{{.Tag}}";
  const lines = (await sandbox.exec("buildah", "images", "--no-trunc", format)).split("\n");
  const pairs = lines.map((line): [string, string] => {
    const [id = "", image = ""] = line.trim().split(/\s+/);
    return [image, id];
  });
  return new Map(pairs.filter(([image]) => pattern.test(image) && !image.includes("<none>")));
}

/** Reads the images in a stage of this machine. */
function containerfile(image = name): string {
  return `FROM ${image} AS target
FROM --platform=$BUILDPLATFORM ${image}
COPY --from=target /platform /target
COPY --from=${image} /platform /copied
OUTPUT /layers
RUN --mount=type=bind,from=${image},target=/image \\
 mkdir -p /layers/output/layers/one && cat /platform /target /copied /image/platform > /layers/output/layers/one/read
COPY --from=${image} /platform /later
RUN cat /later >> /layers/output/layers/one/read
`;
}

async function readMade(
  project: Project,
  words: readonly string[],
): Promise<{ readonly text: string; readonly platform: object; readonly stdout: string }> {
  const { image, metadata, stdout } = await project.build(words);
  const text = await readFile(join(image.files, "read"), "utf8");
  return { text, platform: metadata.platform, stdout };
}

function expectedText(platform: string): string {
  return `linux/${own}\n${`${platform}\n`.repeat(4)}`;
}

/** What the requests to the registry were for. */
function takeRequests(): readonly string[] {
  const paths = service.proxy.requests.map(({ path }) => path);
  service.proxy.reset();
  return paths.filter((path) => path.includes(repository));
}

describe.each(testedEngines)("%s", (engine) => {
  const flags = [`--engine=${engine}`, "--no-load"];
  const on = (base: string): readonly string[] => [
    ...flags,
    "--platform=linux/s390x",
    `--build-arg=BASE=${base}`,
  ];

  test("one name for two platforms, and no name of the user's moves", async () => {
    await sandbox.exec("buildah", "pull", "--quiet", name);
    const before = await listNames(/./);
    const project = await sandbox.project({ "Containerfile.x": containerfile() });
    const made = await readMade(project, [...flags, `--platform=linux/${foreign}`]);
    const [first] = others;
    expect(made.text).toBe(expectedText([...images.keys()][1] ?? ""));
    expect(made.platform).toMatchObject({ os: "linux", architecture: foreign });
    const now = await listNames(/./);
    for (const [image, id] of before) expect([image, now.get(image)]).toEqual([image, id]);
    const added = [...now].filter(([image]) => !before.has(image));
    expect(added.filter(([image]) => !image.startsWith("localhost/xbuild-env:"))).toEqual([
      [
        expect.stringMatching(/^localhost\/xbuild-base:[0-9a-f]{16}$/),
        images.get([...images.keys()][1] ?? "")?.id,
      ],
    ]);
    expect(first?.architecture).toBe(foreign);
  });

  test.each(["linux/arm", "linux/arm/v6", `linux/${foreign}`, `linux/${own}`])(
    "--platform=%s",
    async (platform) => {
      const project = await sandbox.project({ "Containerfile.x": containerfile() });
      const made = await readMade(project, [...flags, `--platform=${platform}`]);
      const wanted = platform === "linux/arm" ? "linux/arm/v7" : platform;
      expect(made.text).toBe(expectedText(images.has(wanted) ? wanted : `${wanted}/v8`));
    },
  );

  test("a name that stands for another platform's image is left alone", async () => {
    const words = ["pull", "--quiet", `--platform=linux/${foreign}`];
    await sandbox.exec("podman", ...words, name);
    const id = images.get([...images.keys()][1] ?? "")?.id;
    expect((await listNames(/multi:1$/)).get(name)).toBe(id);
    const project = await sandbox.project({
      "Containerfile.x": `FROM --platform=$BUILDPLATFORM ${name}\nOUTPUT /layers\nRUN mkdir -p /layers/output/layers/one && cp /platform /layers/output/layers/one/read\n`,
    });
    expect((await readMade(project, flags)).text).toBe(`linux/${own}\n`);
    expect((await listNames(/multi:1$/)).get(name)).toBe(id);
  });

  test("what was pulled for a platform is not asked for again; --pull=always asks", async () => {
    const project = await sandbox.project({ "Containerfile.x": containerfile() });
    const words = [...flags, `--platform=linux/${foreign}`];
    const refused = await project.fail(1, [...words, "--pull=never"]);
    expect(refused.stderr).toMatch(/error\[image-pull-failed\].*--pull=never forbids pulling it/);
    takeRequests();
    await project.build(words);
    expect(takeRequests()).not.toEqual([]);
    await project.build([...words, "--no-cache"]);
    await project.build([...words, "--no-cache", "--pull=never"]);
    expect(takeRequests()).toEqual([]);
    await project.build([...words, "--no-cache", "--pull=always"]);
    expect(takeRequests()).not.toEqual([]);
  });

  test("--pull=always finds another image for a platform, --pull=newer does without one", async () => {
    const { registry } = service;
    const moving = "bases/moving";
    const image = `${service.proxy.host}/${moving}:1`;
    await pushPlatforms({ registry, repository: moving }, [ownPlatform, ...others]);
    const project = await sandbox.project({ "Containerfile.x": containerfile(image) });
    const words = [...flags, `--platform=linux/${foreign}`];
    const first = await readMade(project, words);
    await pushPlatforms({ registry, repository: moving }, [ownPlatform, ...others], {
      text: " new",
    });
    expect((await readMade(project, words)).text).toBe(first.text);
    const platform = [...images.keys()][1] ?? "";
    const expected = `linux/${own}\n${`${platform} new\n`.repeat(4)}`.replace("\n", " new\n");
    expect((await readMade(project, [...words, "--pull=always"])).text).toBe(expected);
    service.proxy.fault({ status: 500, match: ({ path }) => path.includes(moving) });
    expect((await readMade(project, [...words, "--pull=newer"])).text).toBe(expected);
    service.proxy.clearFaults();
  });

  test("no image for the platform: the error says what there is, and where it is named", async () => {
    const project = await sandbox.project({ "Containerfile.x": containerfile() });
    const { stderr, builds } = await project.fail(1, [...flags, "--platform=linux/s390x"]);
    expect(stderr).toMatch(
      new RegExp(
        `Containerfile.x:1:1: error\\[image-unsupported\\]: .*${name}: the index has no image for linux/s390x, but for linux/${own}`,
      ),
    );
    expect(stderr).toContain("linux/riscv64");
    expect(builds).toEqual([]);
  });

  test.each([
    ["several platforms", [...flags, `--platform=linux/${foreign},linux/s390x`, "."]],
    ["bake", ["bake", "--set=*.platform=linux/s390x", "--", ...flags]],
  ])("no image for the platform, of %s: one error", async (_, words) => {
    const project = await sandbox.project({
      "Containerfile.x": containerfile(),
      "docker-bake.json": JSON.stringify({ target: { default: { context: "." } } }),
    });
    const { status, stderr, builds } = await project.run(words, { cwd: project.context });
    expect(status).toBe(1);
    const errors = stderr.match(/error\[.*/gi);
    expect(errors).toEqual([expect.stringContaining("the index has no image for linux/s390x")]);
    expect(builds).toEqual([]);
  });

  test("--pull=never: a name that stands for another platform's image", async () => {
    await sandbox.exec("buildah", "pull", "--quiet", name);
    const project = await sandbox.project({ "Containerfile.x": containerfile() });
    const { stderr } = await project.fail(1, [...flags, "--platform=linux/s390x", "--pull=never"]);
    expect(stderr).toContain(
      `Containerfile.x:1:1: error[image-unsupported]: ${name}: this image is for linux/${own}, not for linux/s390x`,
    );
  });

  test("what cannot be pulled is told where it is named", async () => {
    const project = await sandbox.project({ "Containerfile.x": containerfile(`${name}-not`) });
    const { stderr } = await project.fail(125, flags);
    expect(stderr).toContain("Containerfile.x:1:1: error[image-pull-failed]: ");
  });

  test("an image in no index that is for another platform", async () => {
    const { registry } = service;
    await pushSingle({ registry, repository: "bases/single" }, ownPlatform, "1");
    const single = `${service.proxy.host}/bases/single:1`;
    const project = await sandbox.project({
      "Containerfile.x": `FROM --platform=$BUILDPLATFORM ${name}\nCOPY --from=${single} /platform /p\nOUTPUT /layers\nRUN true\n`,
    });
    const { stderr } = await project.fail(1, [...flags, "--platform=linux/riscv64"]);
    expect(stderr).toContain("Containerfile.x:2:6: error[image-unsupported]: ");
    expect(stderr).toContain(`${single}: this image is for linux/${own}, not for linux/riscv64`);
  });

  test("a local image of another platform, and a local list", async () => {
    const context = join(sandbox.directory, `local-${engine}`);
    await mkdir(context, { recursive: true });
    const local = `localhost/list-${engine}:1`;
    for (const platform of [own, "s390x"]) {
      await writeFile(join(context, "platform"), `linux/${platform}\n`);
      await writeFile(join(context, "Containerfile"), "FROM scratch\nCOPY platform /\n");
      const one = [`--platform=linux/${platform}`, `--tag=localhost/one-${platform}`];
      await sandbox.exec("buildah", "build", "--quiet", "--layers=false", ...one, context);
    }
    const project = await sandbox.project({
      "Containerfile.x": `ARG BASE
FROM $BASE AS target
FROM --platform=$BUILDPLATFORM ${name}
COPY --from=target /platform /target
OUTPUT /layers
RUN mkdir -p /layers/output/layers/one && cp /target /layers/output/layers/one/read
`,
    });
    const { stderr } = await project.fail(1, on(`localhost/one-${own}`));
    expect(stderr).toContain(`this image is for linux/${own}, not for linux/s390x`);
    expect((await readMade(project, on("localhost/one-s390x"))).text).toBe("linux/s390x\n");
    await sandbox.exec("buildah", "manifest", "create", local);
    for (const platform of [own, "s390x"]) {
      await sandbox.exec("buildah", "manifest", "add", local, `localhost/one-${platform}`);
    }
    expect((await readMade(project, on(local))).text).toBe("linux/s390x\n");
    await sandbox.exec("buildah", "manifest", "rm", local);
  });

  test("a name that only the engine completes: it is put back", async () => {
    await writeFile(
      join(sandbox.directory, ".config", "containers", "registries.conf"),
      `unqualified-search-registries = ["localhost:1", "${service.proxy.host}"]\nshort-name-mode = "disabled"\n`,
    );
    const short = `${repository}:1`;
    const project = await sandbox.project({ "Containerfile.x": containerfile(short) });
    await sandbox.exec("buildah", "pull", "--quiet", name);
    const before = await listNames(/multi:1$/);
    expect(before.size).toBe(1);
    const made = await readMade(project, [...flags, "--platform=linux/riscv64"]);
    expect(made.text).toBe(expectedText("linux/riscv64"));
    expect(await listNames(/multi:1$/)).toEqual(before);
    await sandbox.exec("buildah", "rmi", name);
    const again = await readMade(project, [...flags, "--platform=linux/arm/v7"]);
    expect(again.text).toBe(expectedText("linux/arm/v7"));
    // One of this machine's platform has the name, where that was free, as after any pull.
    expect([...(await listNames(/multi:1$/)).values()]).toEqual([images.get(`linux/${own}`)?.id]);
  });

  test("builds of several platforms at once", async () => {
    const platforms = ["linux/riscv64", "linux/arm/v7", `linux/${foreign}`];
    const projects = await Promise.all(
      platforms.map(() => sandbox.project({ "Containerfile.x": containerfile() })),
    );
    for (let turn = 0; turn < 3; turn += 1) {
      const outcomes = await Promise.all(
        projects.map(
          (project, index) =>
            project.start([
              ...flags,
              `--platform=${platforms[index]}`,
              "--no-cache",
              "--pull=always",
            ]).ended,
        ),
      );
      for (const outcome of outcomes) assertStatus(outcome, 0);
    }
    for (const [index, project] of projects.entries()) {
      const made = await readMade(project, [...flags, `--platform=${platforms[index]}`]);
      expect(made.stdout).toContain("Up to date");
      const key = [...images.keys()].find((one) => one.startsWith(platforms[index] ?? "-"));
      expect(made.text).toBe(expectedText(key ?? ""));
    }
    const now = await listNames(/multi:1$/);
    expect([undefined, images.get(`linux/${own}`)?.id]).toContain(now.get(name));
  });
});

describe("without --platform, an index without this machine's is one error", () => {
  const local = "FROM localhost/base\n";
  test.each([
    ["FROM", "1:1", "FROM NAME\nOUTPUT /layers\nRUN true\n"],
    ["COPY --from", "2:6", `${local}COPY --from=NAME /platform /p\nOUTPUT /layers\nRUN true\n`],
    [
      "RUN --mount",
      "2:5",
      `${local}RUN --mount=type=bind,from=NAME,target=/m true\nOUTPUT /layers\nRUN true\n`,
    ],
    ["OUTPUT --from", "2:8", `${local}OUTPUT --from=NAME /layers\nRUN true\n`],
    ["a named context", "1:1", "FROM given\nOUTPUT /layers\nRUN true\n"],
  ])("%s", async (_, place, text) => {
    const { registry } = service;
    await pushPlatforms({ registry, repository: "bases/others" }, others);
    const image = `${service.proxy.host}/bases/others:1`;
    const project = await sandbox.project({ "Containerfile.x": text.replaceAll("NAME", image) });
    const named = `--build-context=given=docker-image://${image}`;
    const { stderr, builds } = await project.fail(1, ["--no-load", named]);
    expect(stderr).toContain(`Containerfile.x:${place}: error[image-unsupported]: ${image}: `);
    expect(stderr).toMatch(new RegExp(`for linux/${foreign}.*linux/riscv64, not for linux/${own}`));
    // No words of the engine's.
    expect(stderr).not.toContain("Error: ");
    expect(builds).toEqual([]);
  });
});
