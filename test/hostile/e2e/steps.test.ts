import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { chooseCount } from "../../support/counts.ts";
import { findOutput, gateStep } from "../../support/gate.ts";
import { findProcesses, listLeftovers, listProcesses } from "../../support/leftovers.ts";
import type { Project } from "../../support/project.ts";
import { testedEngines } from "../../support/engine.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";

// Threat model (a): what a step runs is hostile.

const sandbox = useSandbox();
/** What tells processes of ours from those of others. */
const sleep = `sleep 2000${process.pid}`;

// Where a test fails, its processes may still be there.
afterEach(async () => {
  for (const word of [sleep, `${sandbox.directory}/victim`]) {
    for (const pid of await findProcesses(word)) process.kill(pid, "SIGKILL");
  }
});

const head = `FROM ${baseImage}\nOUTPUT /layers\n`;
const good = `${head}RUN /layers/bin/layer add passwd /etc/passwd\n`;

/** Steps as root and as another user of the container. */
const users = ["", "USER 65534\n"];

describe.each(testedEngines)("engine %s", (engine) => {
  test.each(users)("no process of a step outlives it (%j)", async (user) => {
    const project = await sandbox.project({
      "Containerfile.x": `${good}${user}RUN (setsid ${sleep} >/dev/null 2>&1 &); (${sleep} >/dev/null 2>&1 &); true\n`,
    });
    const built = await project.build(["--engine", engine]);
    expect(built.layers).toEqual(["passwd new"]);
    expect(await listProcesses(sleep)).toEqual([]);
  });
});

/** Swaps a directory of the output for a link to a directory of this machine, for ever; in the container's shell. */
function swapForEver(victim: string): string {
  return `while :; do ln -s ${victim} l; mv d s; mv l d; rm d; mv s d; done`;
}

test("a process that a step leaves behind cannot lead the clearing up to files of this machine", async () => {
  const victim = join(sandbox.directory, "victim");
  await mkdir(join(victim, "d"), { recursive: true });
  const names = Array.from({ length: 100 }, (_, index) => `f${index}`);
  for (const name of names) await writeFile(join(victim, name), "kept");
  const project = await sandbox.project({
    "Containerfile.x": `${head}USER 65534
RUN mkdir -p /layers/output/layers/a/d && cd /layers/output/layers/a && for i in ${names.join(" ")}; do echo x > d/$i; done && (sh -c '${swapForEver(victim)}' >/dev/null 2>&1 &)
`,
  });
  for (let turn = 0; turn < chooseCount(100); turn += 1) {
    // What came of it is not the question: the tree may have been caught half swapped.
    await project.run(["--no-cache", "--no-load", "-t", project.name, project.context]);
    expect((await readdir(victim)).length).toBe(names.length + 1);
    expect(await readFile(join(victim, "f0"), "utf8")).toBe("kept");
  }
}, 900_000);

describe("trees that are hard to remove stop no build", () => {
  // A piece of 260 levels at a time: no system call takes a longer path.
  const deep =
    "RUN cd /layers/output/layers/a && piece=$(yes dddddddddd | head -n 260 | tr '\\n' /) && for i in 1 2 3 4 5 6 7 8 9 10; do mkdir -p $piece && cd -P $piece; done";
  const prefix = `${head}RUN mkdir -p /layers/output/layers/a && echo x > /layers/output/layers/a/f\n`;
  const trees: readonly (readonly [string, string])[] = [
    ["2,600 levels", deep],
    [
      "20,000 files in one directory",
      "RUN cd /layers/output/layers/a && seq 1 20000 | xargs touch",
    ],
    [
      "directories of mode 000",
      "RUN mkdir -p /layers/output/layers/a/b/c && chmod 0 /layers/output/layers/a/b",
    ],
    [
      "names that are no UTF-8",
      "RUN cd /layers/output/layers/a && mkdir -p \"$(printf 'x\\377\\200')/y\"",
    ],
  ];

  test.each(trees)("%s, in a step that fails", async (_what, step) => {
    const project = await sandbox.project({ "Containerfile.x": `${prefix}${step}\nRUN exit 7\n` });
    // It checks that nothing is left.
    const outcome = await project.fail(7);
    expect(outcome.stderr).toContain("error[step-failed]");
  });

  test.each(trees)("%s, in a build that is killed", async (_what, step) => {
    const project = await sandbox.project({ "Containerfile.x": good });
    await project.build();
    await project.write({ "Containerfile.x": `${prefix}${step}\n${gateStep}\n` });
    const started = project.start();
    await started.says("begun");
    process.kill(-started.pid, "SIGKILL");
    await started.ended;
    await project.write({ "Containerfile.x": good });
    // An up-to-date build clears up too.
    const next = await project.build();
    expect(next.metadata.upToDate).toBe(true);
    expect(await listLeftovers(sandbox, project.store)).toEqual([]);
  });
});

test("what cannot be removed of a killed build is told of, and stops nothing", async () => {
  const project = await sandbox.project({ "Containerfile.x": `${good}${gateStep}\n` });
  const started = project.start();
  await started.says("begun");
  const mount = join(await findOutput(project.store), "mount");
  await mkdir(mount);
  execFileSync("mount", ["-t", "tmpfs", "none", mount]);
  process.kill(-started.pid, "SIGKILL");
  await started.ended;
  await project.write({ "Containerfile.x": good });
  const outcome = await build(project);
  expect(outcome).toMatchObject({ status: 0 });
  expect(outcome.stderr).toMatch(/warning\[run-left\].*\(EBUSY\)/);
  const mounts = (await readFile("/proc/mounts", "utf8")).split("\n");
  const own = mounts
    .map((line) => line.split(" ")[1] ?? "")
    .filter((path) => path.endsWith("/mount"));
  for (const path of own) if (path.startsWith(project.store)) execFileSync("umount", [path]);
  const next = await build(project);
  expect(next.stderr).not.toContain("run-left");
  expect(await listLeftovers(sandbox, project.store)).toEqual([]);
});

function build(project: Project) {
  const env = { XBUILD_STORE: project.store };
  return import("../../support/xbuild.ts").then(({ runXbuild }) =>
    runXbuild(sandbox, ["-t", project.name, project.context], { env }),
  );
}

test("state whose names are no UTF-8 is kept and found again, and the tag moves with it", async () => {
  const project = await sandbox.project({
    "Containerfile.x": `${good}ARG TURN
RUN cp -a /layers/input/state/. /tmp/ && name="$(printf 'x\\377\\200')" && mkdir -p "/layers/output/state/$name" && echo $TURN > "/layers/output/state/$name/$name" && { [ $TURN = 1 ] || [ "$(cat "/tmp/$name/$name")" = 1 ]; }
`,
  });
  await project.build(["--build-arg", "TURN=1"]);
  const second = await project.build(["--build-arg", "TURN=2"]);
  expect(second.layers).toEqual(["passwd equal"]);
});
