import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { describeVersion } from "../../src/engine/versions.ts";
import { afterWords, testedEngines } from "../support/engine.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus } from "../support/xbuild.ts";

// A file without OUTPUT is the engine's: its flags, its words, its result, its exit status.

const sandbox = useSandbox();

const plain = `FROM ${baseImage} AS first
RUN echo first > /first
FROM ${baseImage}
ARG A=1
COPY file /file
RUN echo "$A" > /a
CMD ["/bin/cat", "/a"]
`;

const files = { Containerfile: plain, file: "1" };

describe.each(testedEngines)("engine %s", (engine) => {
  test("the same image as by the engine alone", async () => {
    const project = await sandbox.project(files);
    const args = ["--timestamp=0", "--build-arg", "A=2", "--label=b=c", "--squash"];
    const ours = await project.run([
      "--engine",
      engine,
      ...args,
      "-t",
      project.name,
      project.context,
    ]);
    assertStatus(ours, 0);
    expect(ours.builds).toEqual([
      [engine, "build", ...args, "-t", project.name, project.context].join(" "),
    ]);
    const loaded = await project.findLoaded();
    await sandbox.exec(engine, "build", ...args, "--no-cache", "-t", project.name, project.context);
    expect(await project.findLoaded()).toBe(loaded);
    expect(loaded).toBeDefined();
  });

  test.each([
    ["a failing step", ["-f", "failing"]],
    ["a flag that the engine does not know", ["--no-such-flag"]],
    ["a target that is not there", ["--target", "nobody"]],
    ["a file that is no Containerfile", ["-f", "broken"]],
  ])("%s: the engine's exit status and words", async (_, args) => {
    const project = await sandbox.project({
      ...files,
      // It goes on for a moment: without a runtime engines may lose the last words of a process.
      failing: `FROM ${baseImage}\nRUN echo said; ${afterWords}; exit 9\n`,
      broken: "FORM nobody\n",
    });
    const options = { cwd: project.context, env: sandbox.env, reject: false } as const;
    const theirs = await execa(engine, ["build", ...args, "."], options);
    const ours = await project.run(["--engine", engine, ...args, "."], { cwd: project.context });
    expect(theirs.exitCode).not.toBe(0);
    expect(ours.status).toBe(theirs.exitCode);
    expect(withoutChance(ours.stderr).trimEnd()).toBe(withoutChance(theirs.stderr));
    expect(ours.stdout.trimEnd()).toBe(theirs.stdout);
  });
});

test("words like OUTPUT that the engine does not read are left to it", async () => {
  const project = await sandbox.project({
    Containerfile: `OUTPTU /l\nFROM ${baseImage} AS unused\nOUTPTU /l\nFROM ${baseImage}\nONBUILD OUTPTU /l\nRUN true\n`,
  });
  const outcome = await project.run(["-t", project.name, project.context]);
  assertStatus(outcome, 0);
  expect(outcome.builds).toHaveLength(1);
});

test("an unknown flag: the engine's words, and what was meant behind them", async () => {
  const project = await sandbox.project(files);
  const outcome = await project.run(["--no-cahce", project.context]);
  expect(outcome).toMatchObject({
    status: 125,
    stderr: expect.stringMatching(
      /unknown flag: --no-cahce[^]*\nxbuild: did you mean --no-cache\?\n$/,
    ),
  });
});

/** Engines write the time into their warnings, and say once or twice that a subprocess has ended. */
function withoutChance(text: string): string {
  const timeless = text.replaceAll(/^time="[^"]*"/gm, 'time=""');
  return timeless.replaceAll(/^(subprocess exited with status \d+\n)+/gm, "$1");
}

test("flags that only the engine knows are passed on", async () => {
  const project = await sandbox.project(files);
  const log = join(sandbox.directory, "engine.log");
  const outcome = await project.run([
    "--logfile",
    log,
    "--env",
    "X=y",
    "--omit-history",
    "--iidfile",
    join(sandbox.directory, "iid"),
    "-t",
    project.name,
    project.context,
  ]);
  assertStatus(outcome, 0);
  expect(await readFile(log, "utf8")).toContain("STEP");
});

test("a file on standard input, an ignored context file, words after --", async () => {
  const project = await sandbox.project({ ...files, ".dockerignore": "file\n" });
  const text = plain.replace("COPY file /file\n", "COPY . /all\nRUN test ! -e /all/file\n");
  const outcome = await project.run(["-t", project.name, "-f", "-", "--", project.context], {
    input: text,
  });
  assertStatus(outcome, 0);
  expect(await project.findLoaded()).toBeDefined();
});

test("Containerfile.x without OUTPUT, and --build-arg-file, are for the engine too", async () => {
  const project = await sandbox.project({ "Containerfile.x": plain, file: "1" });
  const argumentsFile = join(sandbox.directory, "arguments");
  await writeFile(argumentsFile, "A=from-file\n");
  const outcome = await project.run([
    "--build-arg-file",
    argumentsFile,
    "-t",
    project.name,
    project.context,
  ]);
  assertStatus(outcome, 0);
  expect(await sandbox.exec("podman", "run", "--rm", "--network=none", project.name)).toBe(
    "from-file",
  );
});

test("a target that uses no OUTPUT of a file that has one elsewhere", async () => {
  const project = await sandbox.project({
    file: "1",
    "Containerfile.x": `FROM ${baseImage} AS layered
RUN echo before > /before
OUTPUT /layers
RUN exit 9
${plain}FROM ${baseImage} AS last
RUN exit 8
`.replace("FROM localhost/base:latest\nARG", "FROM localhost/base:latest AS plain\nARG"),
  });
  const outcome = await project.run(["--target", "plain", "-t", project.name, project.context]);
  assertStatus(outcome, 0);
  expect(await project.findLoaded()).toBeDefined();
  const failing = await project.run(["-t", project.name, project.context]);
  expect(failing.status).toBe(8);
});

test("flags that only OUTPUT gives a meaning are refused", async () => {
  const project = await sandbox.project(files);
  for (const flag of ["--input=all", "--no-load", "--push", "-o=docker://x.example/y"]) {
    const refused = await project.run([flag, project.context]);
    expect(refused).toMatchObject({ status: 125, builds: [] });
    expect(refused.stderr).toContain("OUTPUT");
  }
});

test("--metadata-file is the engine's where it knows that, and refused elsewhere", async () => {
  const project = await sandbox.project(files);
  const file = join(sandbox.directory, "metadata");
  const outcome = await project.run(["--metadata-file", file, project.context]);
  const isTheirs = describeVersion("buildah", await sandbox.exec("buildah", "--version")).has(
    "metadataFile",
  );
  expect(outcome.status).toBe(isTheirs ? 0 : 125);
  expect(outcome.stderr.includes("needs a target with OUTPUT")).toBe(!isTheirs);
  const written = await readFile(file, "utf8").catch(() => "");
  expect(written.includes("containerimage.config.digest")).toBe(isTheirs);
});
