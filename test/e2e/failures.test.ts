import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Project } from "../support/project.ts";
import { afterWords, testedEngines } from "../support/engine.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

const sandbox = useSandbox();

function containerfile(...steps: readonly string[]): string {
  return `FROM ${baseImage}\nOUTPUT /layers\n${steps.map((step) => `RUN ${step}\n`).join("")}`;
}

const good = containerfile("/layers/bin/layer add passwd /etc/passwd");

/** With what stands in the cache in front of a step that fails. */
const begun = good.replace("OUTPUT", "RUN true\nOUTPUT");

/** A project whose name stands for an image, in the store and in the engine's storage. */
async function createBuilt(text = good): Promise<Project> {
  const project = await sandbox.project({ "Containerfile.x": text });
  await project.build();
  return project;
}

describe.each(testedEngines)("a failing step, engine %s", (engine) => {
  test.each([
    ["before OUTPUT", good.replace("OUTPUT", `RUN echo said; ${afterWords}; exit 7\nOUTPUT`)],
    ["after OUTPUT", `${good}RUN echo said; ${afterWords}; exit 7\n`],
    [
      "in another stage",
      `FROM ${baseImage} AS a\nRUN echo said; ${afterWords}; exit 7\n${good}COPY --from=a / /\n`,
    ],
  ])("%s: its exit status, its words, and all else as before", async (_, text) => {
    const project = await createBuilt(begun);
    const images = await listImages();
    await project.write({ "Containerfile.x": text });
    const failed = await project.fail(7, ["--engine", engine]);
    expect(failed.stdout).toMatch(/^said$/m);
    expect(failed.stderr).toContain("error[step-failed]");
    expect(await listImages()).toEqual(images);
  });
});

describe("what a layering step did not know", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createBuilt();
  });

  test("a name that layer keep does not find is told, with the name that is near", async () => {
    await project.write({ "Containerfile.x": containerfile("/layers/bin/layer keep paswd") });
    const failed = await project.fail(1);
    expect(failed.stderr).toContain('layer keep "paswd" found no layer of that name');
    expect(failed.stderr).toContain("did you mean passwd?");
  });

  test.each([
    ["a step that adds it then", "/layers/bin/layer keep x || /layers/bin/layer add x /bin; false"],
    ["another exit status", "/layers/bin/layer keep x || exit 3"],
  ])("%s is told nothing of it", async (_, step) => {
    await project.write({ "Containerfile.x": containerfile(step) });
    const failed = await project.fail(step.endsWith("3") ? 3 : 1);
    expect(failed.stderr).toContain("error[step-failed]");
    expect(failed.stderr).not.toContain("found no layer");
  });

  test("where the helper stands, if it is called by its name", async () => {
    await project.write({ "Containerfile.x": containerfile("true", "layer keep passwd") });
    const failed = await project.fail(127);
    expect(failed.stderr).toMatch(/Containerfile\.x:4:1/);
    expect(failed.stderr).toContain("/layers/bin/layer");
  });

  test("the directories of the output are there, for every user, and may be made anew", async () => {
    const made = await sandbox.project({
      "Containerfile.x": `FROM ${baseImage}\nOUTPUT /layers\nUSER app\nRUN mkdir /layers/output/layers/a && echo x > /layers/output/layers/a/x && rmdir /layers/output/blobs/sha256 && mv /layers/output/layers /layers/output/old && mkdir -p /layers/output/layers && mv /layers/output/old/a /layers/output/layers/ && rmdir /layers/output/old\n`,
    });
    const built = await made.build(["--no-load"]);
    expect(built.layers).toEqual(["a new"]);
    expect(built.stderr).not.toContain("warning");
  });
});

/** The page that an error names. */
async function readPage(text: string): Promise<string> {
  const address = /^ {2}page: (?<address>\S+)$/m.exec(text)?.groups?.["address"] ?? "";
  return readFile(new URL(address), "utf8");
}

/** IDs of images without a name that no other image is built on: what a failing build must not leave. */
async function listImages(): Promise<string> {
  return sandbox.exec("buildah", "images", "--quiet", "--filter", "dangling=true");
}

describe("bad output", () => {
  let project: Project;
  beforeAll(async () => {
    project = await createBuilt();
  });

  test.each([
    ["layers-none", "mkdir -p /layers/output/output/layers/a"],
    [
      "blob-digest-mismatch",
      `cd /layers/output && mkdir -p blobs/sha256 && tar -cf blobs/sha256/${"0".repeat(64)} /etc/passwd && echo '[{"created_by":"a","digest":"sha256:${"0".repeat(64)}"}]' > history.json`,
    ],
    [
      "layer-digest-unknown",
      `echo '[{"created_by":"a","digest":"sha256:${"1".repeat(64)}"}]' > /layers/output/history.json`,
    ],
    [
      "layer-digest-invalid",
      `echo '[{"created_by":"a","digest":"sha256:../../x"}]' > /layers/output/history.json`,
    ],
    ["output-json-invalid", "echo '{' > /layers/output/history.json"],
    ["output-history-twice", "cd /layers/output && echo '[]' > history.json && : > history.jsonl"],
    ["output-file-type", "mkdir -p /layers/output/layers && mkfifo /layers/output/layers/a.tar"],
    ["output-file-type", "ln -s /etc/passwd /layers/output/history.json"],
    [
      "layer-name-unknown",
      "mkdir -p /layers/output/layers && : > /layers/output/layers/nobody.keep",
    ],
    [
      "layer-tar-broken",
      "mkdir -p /layers/output/layers && head -c 2000 /bin/busybox > /layers/output/layers/a.tar",
    ],
    [
      "layer-compression-broken",
      "mkdir -p /layers/output/layers && tar -cz /bin/busybox | head -c 9000 > /layers/output/layers/a.tar.gz",
    ],
  ])("%s", async (code, step) => {
    await project.write({ "Containerfile.x": containerfile(step) });
    const refused = await project.fail(1);
    expect(refused.stderr).toContain(`error[${code}]`);
    expect(refused.stderr).toMatch(/^ *hint: /m);
    expect(await readPage(refused.stderr)).toContain(`\n## ${code}\n`);
  });

  test("more layers than --max-layers", async () => {
    const steps = ["a", "b"].map((name) => `/layers/bin/layer add ${name} /etc/passwd`);
    await project.write({ "Containerfile.x": containerfile(...steps) });
    expect((await project.fail(1, ["--max-layers", "1"])).stderr).toContain(
      "error[layers-too-many]",
    );
  });

  test("a layer over --max-layer-size", async () => {
    const step = "/layers/bin/layer add busybox /bin/busybox";
    await project.write({ "Containerfile.x": containerfile(step) });
    const refused = await project.fail(1, ["--max-layer-size", "1k"]);
    expect(refused.stderr).toContain("error[layer-too-large]");
  });
});

describe("wrong usage", () => {
  test.each([
    ["an unknown flag", ["--build-agr", "A=1"], "did you mean --build-arg?"],
    ["a flag without its value", ["--label"], "needs a value"],
    ["an unknown engine", ["--engine", "docker"], "buildah, podman or buildkit"],
    ["a wrong number", ["--max-layers", "many"], "--max-layers"],
    ["a wrong policy", ["--pull=sometimes"], "--pull"],
    ["a name that is none", ["-t", "Upper"], "Upper"],
    ["--squash", ["--squash"], "--squash"],
    ["--userns-uid-map", ["--userns-uid-map=0:100000:65536"], "--userns-uid-map"],
    ["--userns", ["--userns", "auto"], "--userns"],
    ["an unknown target", ["--target", "finl"], "final"],
    ["a file that is not there", ["-f", "nowhere.x"], "nowhere.x"],
  ])("%s", async (_, args, said) => {
    const project = await sandbox.project({
      "Containerfile.x": good.replace(baseImage, `${baseImage} AS final`),
    });
    const refused = await project.run([project.context, ...args]);
    expect(refused).toMatchObject({ status: 125, builds: [] });
    expect(refused.stderr).toContain(said);
    expect(refused.stderr).not.toMatch(/^\s+at /m);
  });

  test("a context that is not there", async () => {
    const project = await sandbox.project();
    const refused = await project.run([join(project.context, "nowhere")]);
    expect(refused).toMatchObject({ status: 125, builds: [] });
  });

  test.each([
    [
      "an unknown flag of OUTPUT",
      "OUTPUT --inhert-config /layers",
      "did you mean --inherit-config?",
    ],
    ["OUTPUT twice", "OUTPUT /a\nOUTPUT /b", "OUTPUT"],
    ["a relative path", "OUTPUT layers", "layers"],
    ["the root", "OUTPUT /", "/"],
    ["COPY into the directory", "OUTPUT /layers\nCOPY Containerfile.x /layers/x", "/layers"],
  ])("%s is shown in its place", async (_, text, said) => {
    const project = await sandbox.project({ "Containerfile.x": `FROM ${baseImage}\n${text}\n` });
    const refused = await project.run(["-t", project.name, project.context]);
    assertStatus(refused, 1);
    expect(refused.builds).toEqual([]);
    expect(refused.stderr).toMatch(/Containerfile\.x:\d+:\d+/);
    expect(refused.stderr).toContain(said);
  });
});

test("a build that can start no container says so", async () => {
  const project = await createBuilt();
  await project.write({ "Containerfile.x": `${good}RUN true\n` });
  // A runtime that ends with an error at once.
  const failed = await project.run(
    ["-t", project.name, "--isolation=oci", "--runtime=/bin/false", project.context],
    { env: { BUILDAH_ISOLATION: undefined } },
  );
  expect(failed.status).not.toBe(0);
  expect(failed.stderr).toContain("error[engine-cannot-run]");
  expect(failed.stderr).toContain("BUILDAH_ISOLATION=chroot");
});

/** A build whose containers a runtime starts, as engines do where nothing else is said. */
function runWithRuntime(project: Project, args: readonly string[]) {
  return project.run(
    ["-t", project.name, "--isolation=oci", "--network=host", ...args, project.context],
    {
      env: { BUILDAH_ISOLATION: undefined },
    },
  );
}

test.each([["buildah"], ["podman"]])(
  "a step that fails in a runtime's container, engine %s",
  async (engine) => {
    const project = await createBuilt();
    await project.write({
      "Containerfile.x": `${good}RUN echo "setrlimit: Operation not permitted" >&2; exit 7\n`,
    });
    const failed = await runWithRuntime(project, ["--engine", engine]);
    assertStatus(failed, 7);
    expect(failed.stderr).toContain("error[step-failed]");
  },
);

describe("a limit that the engine may not set", () => {
  const runtimes = ["runc", "crun"].filter((name) => existsSync(`/usr/bin/${name}`));

  test.each([["--isolation=chroot"], ...runtimes.map((name) => [`--runtime=${name}`])])(
    "%s: the error has what to give instead",
    async (way) => {
      const project = await sandbox.project({ "Containerfile.x": good });
      const words = way.startsWith("--runtime")
        ? ["--isolation=oci", "--network=host", way]
        : [way];
      const build = (...flags: readonly string[]) =>
        project.run([...words, ...flags, "-t", project.name, project.context]);
      // More than the kernel gives to anybody.
      const most = Number(await readFile("/proc/sys/fs/nr_open", "utf8"));
      const failed = await build(`--ulimit=nofile=${most + 1}:${most + 1}`);
      expect(failed.stderr).toContain("error[engine-limits]");
      const remedy = failed.stderr.match(/--ulimit=\S+/g) ?? [];
      expect(remedy).toHaveLength(2);
      // Something else may keep a runtime from starting here.
      expect((await build(...remedy)).stderr).not.toContain("error[engine-limits]");
    },
  );
});
