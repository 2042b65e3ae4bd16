import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { createHash } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import type { Project } from "../../support/project.ts";
import { testedEngines } from "../../support/engine.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";

// What is given as a build argument may be a secret, and every user of the machine can read command lines.

const sandbox = useSandbox();
const value = "hush-4711-hush";
const text = `FROM ${baseImage}
ARG CODE
RUN echo "$CODE" > /tmp/before
OUTPUT /layers
RUN echo "$CODE" > /tmp/after && /layers/bin/layer add told /tmp/before /tmp/after
`;

let hasArgumentFiles: boolean;
beforeAll(async () => {
  const help = await sandbox.exec("buildah", "build", "--help");
  hasArgumentFiles = help.includes("--build-arg-file");
});

async function makeProject(): Promise<Project> {
  return sandbox.project({ "Containerfile.x": text, args: `# comment\nCODE=${value}\n` });
}

interface Way {
  readonly args: (project: Project) => readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const ways: Readonly<Record<string, Way>> = {
  "--build-arg NAME": { args: () => ["--build-arg", "CODE"], env: { CODE: value } },
  "--build-arg-file": { args: ({ context }) => ["--build-arg-file", join(context, "args")] },
  "--redact": { args: () => ["--build-arg", `CODE=${value}`, "--redact", "CODE"] },
};

describe.each(testedEngines)("engine %s", (engine) => {
  test.each(Object.entries(ways))("%s: on no command line of the engine", async (_what, way) => {
    const project = await makeProject();
    const args = ["--engine", engine, "--no-load", ...way.args(project)];
    const built = await project.build(args, { env: way.env ?? {} });
    expect(built.calls.filter((call) => call.includes(value))).toEqual([]);
    expect(built.builds.length).toBe(2);
    for (const name of ["before", "after"]) {
      expect(await readFile(join(built.image.files, "tmp", name), "utf8")).toBe(`${value}\n`);
    }
  });

  test.each(Object.entries(ways))("%s, without OUTPUT", async (_what, way) => {
    const project = await sandbox.project({
      Containerfile: `FROM ${baseImage}\nARG CODE\nRUN echo told $CODE | tr a-z A-Z\n`,
      args: `CODE=${value}\n`,
    });
    const flags = ["--engine", engine, "--no-cache", ...way.args(project)];
    const args = [...flags, "-t", project.name, project.context];
    const outcome = await project.run(args, { env: way.env ?? {} });
    expect(outcome).toMatchObject({ status: 0 });
    expect(outcome.stdout).toContain(value.toUpperCase());
    expect(outcome.calls.filter((call) => call.includes(value))).toEqual([]);
  });
});

test.each(["TMPDIR", "PATH", "HOME", "LD_PRELOAD", "BUILDAH_ISOLATION", "https_proxy", "GODEBUG"])(
  "%s from a file never reaches the engine's own environment",
  async (name) => {
    const project = await sandbox.project({
      "Containerfile.x": text.replaceAll("CODE", name),
      args: `${name}=/nowhere/at/all\n`,
    });
    const args = ["--no-load", "--build-arg-file", join(project.context, "args")];
    const outcome = await project.run([...args, "-t", project.name, project.context]);
    // An engine that reads a file of arguments has no need of its environment.
    const said = hasArgumentFiles ? "" : `the build argument ${name} cannot be passed`;
    expect([outcome.status, outcome.stderr]).toEqual([
      hasArgumentFiles ? 0 : 125,
      expect.stringContaining(said),
    ]);
  },
);

async function readRecords(project: Project): Promise<string> {
  const directory = join(project.store, "records");
  const names = await readdir(directory);
  return (await Promise.all(names.map((name) => readFile(join(directory, name), "utf8")))).join("");
}

describe("--redact", () => {
  const guess = createHash("sha256").update(value).digest("hex");

  test("neither the record nor the image lets anybody try out what the value is", async () => {
    const project = await makeProject();
    const open = await project.build(["--no-load", `--build-arg=CODE=${value}`]);
    expect(await readRecords(project)).toContain(guess);
    expect(open.image.manifest.annotations).toHaveProperty("io.xbuild.key");

    const redacted = await makeProject();
    const args = ["--no-load", `--build-arg=CODE=${value}`, "--redact=CODE"];
    const built = await redacted.build(args);
    expect(await readRecords(redacted)).not.toContain(guess);
    expect(built.image.manifest.annotations ?? {}).not.toHaveProperty("io.xbuild.key");
  });

  test("another value builds, the same value does not", async () => {
    const project = await makeProject();
    const build = (code: string) =>
      project.build(["--no-load", "--explain", `--build-arg=CODE=${code}`, "--redact=CODE"]);
    await build("one");
    expect((await build("one")).metadata.upToDate).toBe(true);
    const other = await build("two");
    expect(other.metadata.upToDate).toBe(false);
    expect(other.stderr).toContain("built because: the build argument CODE changed");
  });

  test("a name that is no argument's is refused", async () => {
    const project = await makeProject();
    const outcome = await project.fail(125, ["--build-arg=CODE=1", "--redact=CODES"]);
    expect(outcome.stderr).toContain("did you mean CODE?");
  });

  test("an argument that the environment has not got may be named", async () => {
    const project = await makeProject();
    const built = await project.build(["--no-load", "--build-arg=CODE", "--redact=CODE"]);
    expect(built.layers).toEqual(["told new"]);
  });

  test("the store's key is made once, and another store has another one", async () => {
    const [one, two] = [await makeProject(), await makeProject()];
    for (const project of [one, two, one]) {
      await project.build(["--no-load", "--no-cache", "--build-arg=CODE=1", "--redact=CODE"]);
    }
    const keys = await Promise.all([one, two].map(({ store }) => readFile(join(store, "key"))));
    expect(keys.map((key) => key.length)).toEqual([32, 32]);
    expect(keys[0]).not.toEqual(keys[1]);
  });
});

test("a value with line breaks reaches the step as it is", async () => {
  const project = await makeProject();
  const built = await project.build(["--no-load", "--build-arg", "CODE"], {
    env: { CODE: "one\ntwo" },
  });
  expect(await readFile(join(built.image.files, "tmp", "after"), "utf8")).toBe("one\ntwo\n");
});
