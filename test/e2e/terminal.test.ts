import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { execa } from "execa";
import type { Project } from "../support/project.ts";
import { afterWords } from "../support/engine.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { mainFile } from "../support/xbuild.ts";

const sandbox = useSandbox();
const escapes = "\u001B[";
let project: Project;

beforeAll(async () => {
  project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nOUTPUT /layers\nRUN echo from the step; ${afterWords}; /layers/bin/layer add passwd /etc/passwd\nRUN /layers/bin/layer add "group file" /etc/group\n`,
  });
});

/** Runs a build in a terminal of script(1), and gives what it wrote there. */
async function runInTerminal(env: Readonly<Record<string, string>>): Promise<string> {
  const command = `'${process.execPath}' '${mainFile}' --no-cache --no-load -t ${project.name} '${project.context}'`;
  const log = join(sandbox.directory, "typescript");
  await execa("script", ["--quiet", "--return", "--command", command, log], {
    env: { ...sandbox.env, TERM: "xterm", NO_COLOR: "", XBUILD_STORE: project.store, ...env },
    stdin: "ignore",
  });
  return sandbox.exec("cat", log);
}

test("plain lines where there is no terminal", async () => {
  const built = await project.build(["--no-load"]);
  expect(built.stdout).not.toContain(escapes);
  expect(built.stderr).not.toContain(escapes);
  const lines = built.stdout.split("\n");
  expect(lines).toContain("from the step");
  for (const step of ["Environment", "Layering steps", "Collecting layers"]) {
    expect(built.stderr).toMatch(new RegExp(`^.*${step} \\(\\d.*\\)$`, "m"));
  }
  expect(built.stdout).toMatch(/^new +\d.* passwd$/m);
  expect(built.stdout).toMatch(/^new +\d.* group file$/m);
  expect(lines.at(-2)).toBe(built.metadata.configDigest.slice(7));
  const again = await project.build(["--no-load", "--no-cache"]);
  expect(again.stdout).toMatch(/: 2 layers, [\d.]+ \w+: 2 kept \(/);
});

test("colours in a terminal", async () => {
  expect(await runInTerminal({})).toContain(escapes);
});

test.each([
  ["NO_COLOR", { NO_COLOR: "1" }],
  ["a dumb terminal", { TERM: "dumb" }],
])("no colours with %s", async (_, env) => {
  const text = await runInTerminal(env);
  expect(text).toContain("from the step");
  expect(text).not.toContain(escapes);
});

test("--version, --help and wrong usage", async () => {
  const version = await project.run(["--version"]);
  expect(version).toMatchObject({ status: 0, stderr: "" });
  expect(version.stdout).toMatch(/^xbuild \S+\n$/);
  const help = await project.run(["--help"]);
  expect(help.status).toBe(0);
  for (const flag of ["--tag", "--metadata-file", "--no-load", "--engine"]) {
    expect(help.stdout).toContain(flag);
  }
  expect((await project.run(["build", "--help"])).stdout).toBe(help.stdout);
});

test("a reader that goes away does not end the build", async () => {
  const command = `'${process.execPath}' '${mainFile}' --no-cache --no-load -t ${project.name} --iidfile '${sandbox.directory}/iid' '${project.context}' | head -n 1`;
  const file = join(sandbox.directory, "pipe.sh");
  await writeFile(file, `set -o pipefail\n${command}\n`);
  const { stdout, exitCode } = await execa("bash", [file], {
    env: { ...sandbox.env, XBUILD_STORE: project.store },
    reject: false,
  });
  expect(stdout.split("\n")).toHaveLength(1);
  expect(exitCode).toBe(0);
  expect(await sandbox.exec("cat", join(sandbox.directory, "iid"))).toMatch(/^sha256:/);
});
