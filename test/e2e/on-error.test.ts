import { spawn } from "node:child_process";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { testedEngines } from "../support/engine.ts";
import { listLeftovers } from "../support/leftovers.ts";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { mainFile } from "../support/xbuild.ts";

const sandbox = useSandbox();

interface Session {
  readonly status: number | null;
  /** All that stood on the terminal. */
  readonly screen: string;
}

/** What a user does at a terminal of script(1): a line is typed where the shell asks for one. */
function runAtTerminal(
  project: Project,
  args: readonly string[],
  lines: readonly string[],
): Promise<Session> {
  const words = [process.execPath, mainFile, "-t", project.name, ...args, project.context];
  const command = words.map((word) => `'${word}'`).join(" ");
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    env: { ...sandbox.env, TERM: "xterm", NO_COLOR: "1", PS1: "", XBUILD_STORE: project.store },
  });
  const waiting = [...lines];
  let screen = "";
  let seen = 0;
  child.stdout.on("data", (chunk: Buffer) => {
    screen += chunk.toString("utf8");
    if (!/[#$] $/.test(screen.slice(seen).replaceAll("\u001B[6n", ""))) return;
    seen = screen.length;
    const line = waiting.shift();
    if (line !== undefined) child.stdin.write(`${line}\n`);
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, screen }));
  });
}

/** Images without a name, and all that a run must not leave. */
async function listAll(project: Project): Promise<readonly string[]> {
  const left = await listLeftovers(sandbox, project.store);
  const images = await sandbox.exec("buildah", "images", "--all", "--quiet", "--no-trunc");
  return [...left, ...images.split("\n").sort()];
}

test.each(testedEngines)(
  "a shell in the container of a layering step, as it left it, engine %s",
  async (engine) => {
    const project = await sandbox.project({
      "Containerfile.x": `FROM ${baseImage}\nRUN true\nOUTPUT /l\nARG WHO\nENV A=1\nUSER app\nWORKDIR /tmp\nRUN echo one > one\nRUN echo two > two; echo kept > /l/output/layers/x.tar; exit 7\nLABEL a=b\n`,
    });
    await project.fail(7, ["--engine", engine]);
    const before = await listAll(project);
    const kept = join(project.context, "..", "kept");
    const flags = ["--engine", engine, "--on-error=shell", "--build-arg=WHO=you"];
    const { status, screen } = await runAtTerminal(
      project,
      [...flags, "--keep-output", kept],
      [
        "echo =$(cat one two) $(id -un) $PWD $A $WHO=",
        "echo =$(cat /l/output/layers/x.tar) $(ls /l)=",
        "echo more > /l/output/more; exit 3",
      ],
    );
    expect(screen).toContain("=one two app /tmp 1 you=");
    expect(screen).toContain("=kept bin history.json input mnt names output=");
    expect(screen).toMatch(/Containerfile\.x:9: .*exit status 7/);
    expect(status).toBe(7);
    expect(await readdir(join(kept, "0"))).toContain("more");
    expect(await listAll(project)).toEqual(before);
  },
);

test.each(testedEngines)("nothing is left of what goes well, engine %s", async (engine) => {
  const text = `FROM ${baseImage} AS b\nRUN echo 1 > /env\nFROM b\nOUTPUT /l\nRUN /l/bin/layer add env /env\n`;
  const project = await sandbox.project({ "Containerfile.x": text });
  const flags = ["--engine", engine, "--on-error=shell"];
  expect((await runAtTerminal(project, flags, [])).status).toBe(0);
  expect(await sandbox.exec("buildah", "containers", "--all", "--quiet")).toBe("");
});

test.each(testedEngines)("and of a step before OUTPUT, engine %s", async (engine) => {
  const begun = `FROM ${baseImage}\nENV A=1\nRUN echo one > /one\n`;
  const project = await sandbox.project({
    "Containerfile.x": `${begun}RUN exit 6\nOUTPUT /l\nRUN true\n`,
  });
  await project.fail(6, ["--engine", engine]);
  const before = await listAll(project);
  const { status, screen } = await runAtTerminal(
    project,
    ["--engine", engine, "--on-error=shell"],
    ["echo =$(cat /one) $A=", "exit"],
  );
  expect(screen).toContain("=one 1=");
  expect(status).toBe(6);
  expect(await listAll(project)).toEqual(before);
});

test("steps that go well make the same image, and leave nothing", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nOUTPUT /l\nRUN echo x > /tmp/x\nRUN /l/bin/layer add x /tmp/x\nLABEL a=b\nCMD ["/x"]\n`,
  });
  const built = await project.build(["--timestamp=0"]);
  const before = await listAll(project);
  const again = await runAtTerminal(
    project,
    ["--on-error=shell", "--no-cache", "--timestamp=0"],
    [],
  );
  expect(again.status).toBe(0);
  expect(await project.findDigest()).toBe(built.metadata.digest);
  expect(await listAll(project)).toEqual(before);
});

test.each([
  ["no terminal", ["--on-error=shell"], "needs a terminal"],
  ["another word", ["--on-error=ask"], "use shell or fail"],
])("refused before anything is built: %s", async (_, flags, said) => {
  const project = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nOUTPUT /l\nRUN true\n`,
  });
  const refused = await project.run([...flags, project.context]);
  expect(refused).toMatchObject({ status: 125, builds: [] });
  expect(refused.stderr).toContain(said);
});
