import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { findProcesses, listLeftovers, listProcesses } from "../support/leftovers.ts";
import type { Project } from "../support/project.ts";
import { testedEngines, testEngine } from "../support/engine.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { waysToStop } from "../support/stops.ts";
import { assertStatus } from "../support/xbuild.ts";
import type { Started } from "../support/xbuild.ts";

const sandbox = useSandbox();
/** What tells our sleeping steps from those of others. */
const sleep = `sleep 1000${process.pid}`;

const good = `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer add passwd /etc/passwd\n`;
// Split, so that the engine's echo of the step is not taken for its words.
const endless = `RUN echo be''gun && ${sleep}`;

const phases: readonly { readonly phase: string; readonly text: string; readonly says: string }[] =
  [
    {
      phase: "a step of the environment",
      text: good.replace("OUTPUT", `${endless}\nOUTPUT`),
      says: "begun",
    },
    { phase: "a layering step", text: `${good}${endless}\n`, says: "begun" },
    {
      phase: "collecting",
      text: `${good}RUN mkdir -p /layers/output/layers/big && head -c 200000000 /dev/urandom > /layers/output/layers/big/big\n`,
      says: "==> Collecting layers",
    },
  ];

let project: Project;

beforeAll(async () => {
  project = await sandbox.project({ "Containerfile.x": good });
  await project.build();
});

// What one test leaves behind is not to make the others fail.
afterEach(async () => {
  for (const pid of await findProcesses(sleep)) process.kill(pid, "SIGKILL");
  await sandbox.exec("buildah", "rm", "--all");
});

async function start(text: string, says: string, args: readonly string[] = []): Promise<Started> {
  await project.write({ "Containerfile.x": text });
  const started = project.start(args);
  await started.says(says);
  return started;
}

describe.each(testedEngines)("engine %s", (engine) => {
  // Collecting is the same with every engine.
  const others = phases.filter(({ phase }) => phase !== "collecting");
  describe.each(engine === testEngine ? phases : others)("during $phase", ({ text, says }) => {
    test.each(waysToStop)("$way ends all and leaves nothing", async ({ stop }) => {
      const before = [await project.findDigest(), await project.findLoaded()];
      const started = await start(text, says, ["--engine", engine]);
      stop(started);
      const outcome = await started.ended;
      assertStatus(outcome, 130);
      expect(outcome.stderr).not.toMatch(/^\s+at /m);
      expect(await listProcesses(sleep)).toEqual([]);
      expect(await listLeftovers(sandbox, project.store)).toEqual([]);
      expect([await project.findDigest(), await project.findLoaded()]).toEqual(before);
    });
  });
});

describe("the next run cleans up after a run that was killed", () => {
  test.each(phases)("during $phase", async ({ text, says }) => {
    const started = await start(text, says);
    started.signal("SIGKILL");
    expect(await started.ended).toMatchObject({ status: undefined });
    await project.write({ "Containerfile.x": good });
    // Checks that nothing is left.
    const next = await project.build(["--no-cache"]);
    expect(next.layers).toEqual(["passwd equal"]);
    expect(await listProcesses(sleep)).toEqual([]);
  });

  test.each([
    ["a build that is up to date", () => project.build()],
    ["cache prune", () => project.run(["cache", "prune"])],
  ])("%s", async (_, clean) => {
    await project.write({ "Containerfile.x": good });
    await project.build();
    const started = await start(`${good}${endless}\n`, "begun");
    started.signal("SIGKILL");
    await started.ended;
    await project.write({ "Containerfile.x": good });
    // Checks that nothing is left.
    expect(await clean()).toMatchObject({ status: 0, builds: [] });
    expect(await listProcesses(sleep)).toEqual([]);
  });

  test.each(phases.filter(({ phase }) => phase !== "collecting"))(
    "together with its engine, during $phase",
    async ({ text, says }) => {
      const started = await start(text, says);
      const engines = await listChildren(started.pid);
      expect(engines.length).toBeGreaterThan(0);
      started.signal("SIGKILL");
      for (const pid of engines) process.kill(-pid, "SIGKILL");
      await started.ended;
      await project.write({ "Containerfile.x": good });
      const next = await project.build(["--no-cache"]);
      expect(next.layers).toEqual(["passwd equal"]);
    },
  );
});

async function listChildren(pid: number): Promise<readonly number[]> {
  const tasks = await readdir(`/proc/${pid}/task`);
  const lists = await Promise.all(
    tasks.map((task) => readFile(join(`/proc/${pid}/task`, task, "children"), "utf8")),
  );
  return lists.join(" ").trim().split(/\s+/).map(Number);
}

test("without OUTPUT, Ctrl-C is the engine's", async () => {
  const plain = await sandbox.project({ Containerfile: `FROM ${baseImage}\n${endless}\n` });
  const started = plain.start();
  await started.says("begun");
  process.kill(-started.pid, "SIGINT");
  const outcome = await started.ended;
  expect(outcome.status).not.toBe(0);
  expect(await listProcesses(sleep)).toEqual([]);
});
