import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmod, mkdir, mkdtemp, readFile, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Built, Project, ProjectFiles } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

const sandbox = useSandbox();

/** Takes what stands in `/made` into a layer. */
const layering = `OUTPUT /layers
RUN /layers/bin/layer add made -C / made
`;

interface Case {
  readonly what: string;
  /** Before OUTPUT: makes `/made` of what it reads. */
  readonly steps: string;
  readonly files?: ProjectFiles;
  readonly args?: readonly string[];
  /** What changes, and how it is built then. */
  readonly change: ProjectFiles;
  readonly argsThen?: readonly string[];
  /** Steps of an image that is the base. */
  readonly base?: string;
}

const v = { v: "one" };
const changed = { v: "two" };

const cases: readonly Case[] = [
  {
    what: "ONBUILD COPY in the base",
    base: "ONBUILD COPY v /made",
    steps: "",
    files: v,
    change: changed,
  },
  {
    what: "ONBUILD RUN with a mount in the base",
    base: "ONBUILD RUN --mount=type=bind,source=v,target=/m cp /m /made",
    steps: "",
    files: v,
    change: changed,
  },
  {
    what: "an argument that a trigger declares",
    base: "ONBUILD ARG V=none\nONBUILD ENV W=$V\nONBUILD RUN echo $W > /made",
    steps: "",
    change: {},
    args: ["--build-arg", "V=1"],
    argsThen: ["--build-arg", "V=2"],
  },
  {
    what: "an argument of a trigger, used behind OUTPUT's split",
    base: "ONBUILD ARG V=none",
    steps: "RUN echo $V > /made",
    change: {},
    args: ["--build-arg", "V=1"],
    argsThen: ["--build-arg", "V=2"],
  },
  {
    what: "a trigger of a stage of the file",
    steps: `ONBUILD COPY v /made\nFROM onbuild`,
    files: v,
    change: changed,
  },
  {
    what: "a mount of the context",
    steps: "RUN --mount=type=bind,source=v,target=/m cp /m /made",
    files: v,
    change: changed,
  },
  {
    what: "a mount of a file that the ignore file leaves out",
    steps: "RUN --mount=type=bind,target=/m cat /m/v > /made || true",
    files: { ...v, ".containerignore": "v\n" },
    change: changed,
  },
  {
    what: "a mount of a stage",
    steps: "RUN --mount=type=bind,from=tools,target=/m cp /m/tool /made",
    files: v,
    change: changed,
  },
  {
    what: "a mount of a stage that has not changed, behind a step that has",
    steps:
      "RUN echo 1\nRUN --mount=type=bind,from=tools,target=/m { echo 1; cat /m/tool; } > /made",
    files: v,
    change: {
      "Containerfile.x": containerfile(
        "RUN echo 2\nRUN --mount=type=bind,from=tools,target=/m { echo 2; cat /m/tool; } > /made",
        baseImage,
      ),
    },
  },
  {
    what: "a mount of what a link leads to",
    steps: "RUN --mount=type=bind,source=link,target=/m cp /m /made",
    files: { ...v, link: { link: "v" } },
    change: changed,
  },
  {
    what: "a file that is ignored, behind a link",
    steps: "COPY link/v /made",
    files: { "ignored/v": "one", link: { link: "ignored" }, ".containerignore": "ignored\n" },
    change: { "ignored/v": "two" },
  },
  {
    what: "the same by a pattern",
    steps: "COPY link/* /copied/\nRUN cp /copied/v /made",
    files: { "ignored/v": "one", link: { link: "ignored" }, ".containerignore": "ignored\n" },
    change: { "ignored/v": "two" },
  },
  {
    what: "an ignore pattern that engines take for a digit",
    steps: "COPY . /copied\nRUN cp /copied/d /made",
    files: { d: "one", ".containerignore": "\\d\n" },
    change: { d: "two" },
  },
  {
    what: "a mount with two sources",
    steps: "RUN --mount=type=bind,source=w,src=v,target=/m cp /m /made",
    files: { ...v, w: "w" },
    change: changed,
  },
  {
    what: "a predefined argument in ENV",
    steps: "ENV W=$HTTP_PROXY",
    change: {},
    args: ["--build-arg", "HTTP_PROXY=http://one.example"],
    argsThen: ["--build-arg", "HTTP_PROXY=http://two.example"],
  },
  {
    what: "--timestamp",
    steps: "COPY v /made\nRUN stat -c %Y /made > /times && cat /times >> /made",
    files: v,
    change: {},
    argsThen: ["--timestamp=1500000000"],
  },
  {
    what: "a mount of a named context",
    steps: "RUN --mount=type=bind,from=more,source=v,target=/m cp /m /made",
    files: { "more/v": "one" },
    args: ["--build-context", "more=CONTEXT/more"],
    change: { "more/v": "two" },
  },
  {
    what: "what a cache begins with, of a named context",
    steps: "RUN --mount=type=cache,from=more,target=/m cp /m/v /made",
    files: { "more/v": "one" },
    args: ["--build-context", "more=CONTEXT/more"],
    change: { "more/v": "two" },
  },
  {
    what: "a volume",
    steps: "RUN cp /mnt/v /made",
    files: { "more/v": "one" },
    args: ["--volume=CONTEXT/more:/mnt:ro"],
    change: { "more/v": "two" },
  },
  {
    what: "a volume that steps can write",
    steps: "RUN cp /mnt/v /made",
    files: { "more/v": "one" },
    args: ["--volume=CONTEXT/more:/mnt"],
    change: { "more/v": "two" },
  },
  {
    what: "--add-host",
    steps: "RUN cp /etc/hosts /made",
    args: ["--add-host=there:10.0.0.1"],
    change: {},
    argsThen: ["--add-host=there:10.0.0.2"],
  },
  ...["ENV W=$V", "ENV W=${V:-x} X=1", "WORKDIR /$V", "USER $V"].map((line): Case => ({
    what: `an argument in ${line}`,
    steps: `ARG V=3\n${line}\nSHELL ["/bin/sh", "-c"]\nUSER root\nCOPY . /copied`,
    change: {},
    args: ["--build-arg", "V=1"],
    argsThen: ["--build-arg", "V=2"],
  })),
  {
    what: "the default of an argument in ENV",
    steps: "ARG V=1\nENV W=$V",
    change: { "Containerfile.x": containerfile("ARG V=2\nENV W=$V", baseImage) },
  },
];

function containerfile(steps: string, base: string): string {
  const show = "RUN { cat /made; env | grep -v HOSTNAME; pwd; id; } > /shown 2>&1; mv /shown /made";
  return `FROM ${baseImage} AS tools\nCOPY v* /etc/passwd /\nRUN cp /v /tool || cp /passwd /tool
FROM ${base} AS onbuild\n${steps}\n${layering.replace("\n", `\n${show}\n`)}`
    .replace("COPY v* /etc/passwd /", "COPY Containerfile.x* v* /")
    .replace("cp /passwd", "cp /Containerfile.x");
}

async function prepare({ what, base, steps, files }: Case): Promise<Project> {
  const name = `localhost/base-${createHash("sha256").update(what).digest("hex").slice(0, 8)}`;
  if (base !== undefined) {
    const directory = join(sandbox.directory, name.replace("/", "-"));
    await mkdir(directory);
    await writeFile(join(directory, "Containerfile"), `FROM ${baseImage}\n${base}\n`);
    await sandbox.exec("buildah", "build", "-q", "--format=docker", "-t", name, directory);
  }
  const text = containerfile(steps, base === undefined ? baseImage : `${name}:latest`);
  return sandbox.project({ "Containerfile.x": text, ...files });
}

/** Digests of the layers' contents, and what the image's config says. */
function contentOf({ metadata, image }: Built): unknown {
  return [metadata.layers.map((layer) => layer.diffId), image.config.config];
}

describe("the result is that of --no-cache", () => {
  test.each(cases)("$what", async (one) => {
    const project = await prepare(one);
    const fill = (words: readonly string[] = []): readonly string[] => [
      "--no-load",
      ...(words.some((word) => word.startsWith("--timestamp")) ? [] : ["--timestamp=1600000000"]),
      ...words.map((word) => word.replace("CONTEXT", project.context)),
    ];
    const first = await project.build(fill(one.args));
    await project.write(one.change);
    for (const path of Object.keys(one.change)) {
      // Also where nobody can tell by the time.
      await utimes(join(project.context, path), 1_600_000_000, 1_600_000_000);
    }
    const args = fill(one.argsThen ?? one.args);
    const second = await project.build(args);
    const right = await project.build([...args, "--no-cache"]);
    expect(contentOf(second)).toEqual(contentOf(right));
    expect(second.metadata.upToDate).toBe(false);
    expect(contentOf(second)).not.toEqual(contentOf(first));
    const third = await project.build(args);
    expect(third.metadata.upToDate).toBe(!one.what.includes("can write"));
  });
});

function takeBoth(more: string): string {
  const taken = layering.replace("made -C / made", `made -C / id other ${more}`);
  return `FROM x\nCOPY --from=y /id /other\n${taken}`;
}

test("which image a named context stands for counts, where two change places", async () => {
  const [one, two] = ["localhost/context-one", "localhost/context-two"];
  for (const image of [one, two]) {
    const { context } = await sandbox.project({
      Containerfile: `FROM ${baseImage}\nRUN echo ${image} > /id\n`,
    });
    await sandbox.exec("buildah", "build", "-q", "--layers", "-t", image, context);
  }
  const project = await sandbox.project({ "Containerfile.x": takeBoth("") });
  const build = (x: string, y: string, ...more: readonly string[]): Promise<Built> => {
    const contexts = Object.entries({ x, y }).map(
      ([name, image]) => `--build-context=${name}=docker-image://${image}`,
    );
    return project.build(["--no-load", ...contexts, ...more]);
  };
  const first = await build(one, two);
  const swapped = await build(two, one);
  expect(swapped.metadata.upToDate).toBe(false);
  expect(contentOf(swapped)).not.toEqual(contentOf(first));
  // What stands before OUTPUT, too.
  await project.write({ "Containerfile.x": takeBoth("bin") });
  const back = await build(one, two);
  expect(contentOf(back)).toEqual(contentOf(await build(one, two, "--no-cache")));
});

describe("only what steps can read counts", () => {
  const text = `FROM ${baseImage}
# says nothing
ARG DIR=lib
COPY svc /made/svc
OUTPUT /layers
COPY ["$DIR/a", "/made/lib/"]
RUN /layers/bin/layer add made -C / made
`;
  const files = { "svc/a": "1", "svc/b/c": "1", "lib/a": "1", "lib/b": "1", "other/a": "1" };

  test("an unrelated file, a comment: up to date", async () => {
    const project = await sandbox.project({ "Containerfile.x": text, ...files });
    await project.build(["--no-load"]);
    await project.write({
      "Containerfile.x": text.replace("says", "tells"),
      "other/a": "2",
      "lib/b": "2",
      more: "1",
      "svc/ignored": "1",
      ".containerignore": "svc/ignored\n",
    });
    const again = await project.build(["--no-load"]);
    expect(again.metadata.upToDate).toBe(true);
    expect(again.builds).toEqual([]);
  });

  test.each([
    ["a file", { "svc/b/c": "2" }, []],
    ["a new file", { "svc/b/d": "1" }, []],
    ["a file that a variable names", { "lib/a": "2" }, []],
    ["another value of it", {}, ["--build-arg", "DIR=svc"]],
    ["a link on the way", { svc: { link: "other" } }, []],
    ["the ignore file", { ".containerignore": "svc/b\n" }, []],
  ] as const)("%s: built", async (what, change, args) => {
    const project = await sandbox.project({ "Containerfile.x": text, ...files });
    await project.build(["--no-load"]);
    if (what === "a link on the way") await project.remove("svc");
    await project.write(change);
    const again = await project.build(["--no-load", ...args]);
    expect(again.metadata.upToDate).toBe(false);
    const right = await project.build(["--no-load", ...args, "--no-cache"]);
    expect(contentOf(again)).toEqual(contentOf(right));
  });

  test("a link on the way: what it leads to counts", async () => {
    const linked = { "Containerfile.x": text, ...files, svc: { link: "other" } };
    const { "svc/a": _, "svc/b/c": __, ...rest } = linked;
    const project = await sandbox.project(rest);
    await project.build(["--no-load"]);
    await project.write({ "other/a": "2" });
    expect((await project.build(["--no-load"])).metadata.upToDate).toBe(false);
  });

  test("a variable of the base counts before an ARG", async () => {
    const directory = join(sandbox.directory, "with-variable");
    await mkdir(directory);
    await writeFile(join(directory, "Containerfile"), `FROM ${baseImage}\nENV DIR=other\n`);
    const name = "localhost/with-variable:latest";
    await sandbox.exec("buildah", "build", "-q", "--format=docker", "-t", name, directory);
    const project = await sandbox.project({
      "Containerfile.x": text.replace(baseImage, name),
      ...files,
    });
    await project.build(["--no-load"]);
    await project.write({ "other/a": "2" });
    const again = await project.build(["--no-load"]);
    expect(again.metadata.upToDate).toBe(false);
    expect(await readFile(join(again.image.files, "made/lib/a"), "utf8")).toBe("2");
  });

  test("a capability counts", async () => {
    const project = await sandbox.project({ "Containerfile.x": text, ...files });
    await chmod(join(project.context, "svc/a"), 0o755);
    await project.build(["--no-load"]);
    await sandbox.exec("setcap", "cap_net_bind_service=ep", join(project.context, "svc/a"));
    const again = await project.build(["--no-load", "--explain"]);
    expect(again.metadata.upToDate).toBe(false);
    expect(again.stderr).toContain("context: svc/a (attributes)");
  });
});

describe.each([
  ["an owner", "chown", "1000", "f"],
  ["the mode of its root", "chmod", "711", ""],
])("%s of what a step mounts counts", (_what, program, word, path) => {
  test.each([
    ["the context", "RUN --mount=type=bind,target=/m stat -c %u:%a /m /m/f > /made", []],
    ["a volume", "RUN stat -c %u:%a /v /v/f > /made", ["--volume=CONTEXT/more:/v:ro"]],
  ])("in %s", async (what, step, args) => {
    const text = `FROM ${baseImage}\n${step}\n${layering}`;
    const project = await sandbox.project({ "Containerfile.x": text, f: "1", "more/f": "1" });
    const words = ["--no-load", ...args.map((one) => one.replace("CONTEXT", project.context))];
    await project.build(words);
    const root = what === "a volume" ? join(project.context, "more") : project.context;
    await sandbox.exec(program, word, join(root, path));
    const again = await project.build(words);
    expect(again.metadata.upToDate).toBe(false);
    expect(contentOf(again)).toEqual(contentOf(await project.build([...words, "--no-cache"])));
  });
});

test("a base of equal layers and history with another config is another one", async () => {
  const names: string[] = [];
  const directory = join(sandbox.directory, "configs");
  await mkdir(directory);
  await writeFile(join(directory, "Containerfile"), `FROM ${baseImage}\n`);
  for (const value of ["1", "2"]) {
    const name = `localhost/config-${value}:latest`;
    const container = (await sandbox.exec("buildah", "from", baseImage)).trim();
    const flags = ["--env", `VALUE=${value}`, "--cmd", `run ${value}`];
    await sandbox.exec("buildah", "config", ...flags, container);
    const epoch = ["--timestamp", "0"];
    await sandbox.exec("buildah", "commit", "--format=docker", ...epoch, container, name);
    await sandbox.exec("buildah", "rm", container);
    names.push(name);
  }
  const text = `FROM ${names[0]} AS base\nFROM base\nRUN echo $VALUE > /made\n${layering.replace("OUTPUT", "OUTPUT --inherit-config")}`;
  const project = await sandbox.project({ "Containerfile.x": text });
  await project.build(["--no-load"]);
  await project.write({ "Containerfile.x": text.replace(names[0] ?? "", names[1] ?? "") });
  const built = await project.build(["--no-load"]);
  expect(await readFile(join(built.image.files, "made"), "utf8")).toBe("2\n");
  expect(built.image.config.config?.Cmd).toEqual(["run", "2"]);
});

test("with another epoch each keeps no layer whose times are the last one's", async () => {
  const text = `FROM ${baseImage}
OUTPUT /layers
RUN --mount=type=bind,target=/m /layers/bin/layer each -C /m a b
`;
  const project = await sandbox.project({ "Containerfile.x": text, "a/f": "1", "b/f": "2" });
  const build = (epoch: string): Promise<Built> =>
    project.build(["--no-load"], { env: { SOURCE_DATE_EPOCH: epoch } });
  await build("2000000");
  const again = await build("3000000");
  expect(again.metadata.layers.map(({ status }) => status)).toEqual(["new", "new"]);
  const files = ["a/f", "b/f"].map((path) => join(again.image.files, path));
  const times = await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs));
  expect(times).toEqual([3_000_000_000, 3_000_000_000]);
  await project.write({ "b/f": "3" });
  const changed = await build("3000000");
  expect(changed.metadata.layers.map(({ status }) => status)).toEqual(["kept", "new"]);
});

describe("of an image of a file system, whose times are those that its maker wrote", () => {
  const steps = {
    COPY: "COPY m/p /m/p\nRUN /layers/bin/layer add p -C / m/p\n",
    each: "RUN --mount=type=bind,target=/m /layers/bin/layer each -C /m m/p/a m/p/b\n",
  };

  const canMake = spawnSync("mksquashfs", ["-version"]).error === undefined;
  test.skipIf(!canMake).each(Object.entries(steps))(
    "another file of the same size is found by %s",
    async (_, step) => {
      const root = await mkdtemp(join(sandbox.directory, "image-"));
      const source = join(root, "source");
      const text = `FROM ${baseImage}\nOUTPUT /layers\n${step}`;
      const project = await sandbox.project({ "Containerfile.x": text });
      const mounted = join(project.context, "m");
      const mount = async (content: string): Promise<void> => {
        for (const path of ["p/a", "p/b"]) await mkdir(join(source, path), { recursive: true });
        await writeFile(join(source, "p/a/f"), content);
        await writeFile(join(source, "p/b/f"), "same");
        const times = ["-all-time", "1000000", "-mkfs-time", "1000000", "-noappend", "-quiet"];
        const image = join(root, content);
        await sandbox.exec("mksquashfs", source, image, ...times);
        await mkdir(mounted, { recursive: true });
        await sandbox.exec("mount", "-o", "loop,ro", image, mounted);
      };
      const build = (): Promise<Built> => project.build(["--no-load"], { allowMounts: [mounted] });
      try {
        await mount("one");
        await build();
        await sandbox.exec("umount", "-l", mounted);
        await mount("two");
        const again = await build();
        const file = join(again.image.files, "m/p/a/f");
        expect(await readFile(file, "utf8")).toBe("two");
      } finally {
        await sandbox.exec("umount", "-l", mounted);
      }
    },
  );
});
