import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { openStore } from "../../../src/store/layout/open.ts";
import { validateStore } from "../../support/check-image.ts";
import { createChance, testSeed } from "../../support/counts.ts";
import { listLeftovers } from "../../support/leftovers.ts";
import type { Project } from "../../support/project.ts";
import { configureAccess, useRegistry } from "../../support/registry-access.ts";
import { baseImage, useSandbox } from "../../support/sandbox.ts";
import { checkStore } from "../../support/store.ts";
import { assertStatus, runXbuild, startXbuild, type Started } from "../../support/xbuild.ts";

/** How many commands are killed: some here, more where XBUILD_KILLS says so. */
const kills = Number(process.env["XBUILD_KILLS"] ?? 10);
const chance = createChance();

const sandbox = useSandbox();
const service = useRegistry();
let project: Project;
/** Names of the store, and the tag in the registry. */
let base: string;
let rebased: string;
let pushed: string;

/** Three layers, of which the last is another one in each round. */
function write(round: number): Promise<void> {
  return project.write({
    "Containerfile.x": `FROM ${baseImage}
OUTPUT /layers
RUN /layers/bin/layer add passwd /etc/passwd
RUN /layers/bin/layer add group /etc/group
RUN echo ${round} >/tmp/round && /layers/bin/layer add round /tmp/round
`,
  });
}

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy);
  project = await sandbox.project();
  base = "localhost/kills-base";
  rebased = "localhost/kills-rebased";
  pushed = `${service.proxy.host}/kills:latest`;
  await write(0);
  await project.build();
  await run("-t", pushed, "--push", project.context);
  const text = `FROM ${baseImage}\nOUTPUT /layers\nRUN /layers/bin/layer add passwd /etc/passwd\n`;
  for (const version of ["1", "2"]) {
    const other = await sandbox.project({ "Containerfile.x": `${text}ENV V=${version}\n` });
    await run("-t", `${base}:${version}`, "--no-load", other.context);
  }
  await run("tag", project.name, rebased);
});

function start(...words: readonly string[]): Started {
  return startXbuild(sandbox, words, { env: { XBUILD_STORE: project.store } });
}

async function run(...words: readonly string[]): Promise<void> {
  assertStatus(await start(...words).ended, 0);
}

interface Kind {
  readonly start: (round: number) => Started;
  /** About as long as it takes when it is not killed, in milliseconds. */
  readonly time: number;
  readonly changes: boolean;
}

const kinds: readonly Kind[] = [
  { start: () => project.start(), time: 2500, changes: true },
  { start: () => project.start(["--no-load"]), time: 1500, changes: true },
  { start: () => start("-t", pushed, "--push", project.context), time: 2500, changes: true },
  {
    start: (round) =>
      start(
        "rebase",
        rebased,
        `--onto=${base}:${(round % 2) + 1}`,
        `--from=${base}:${((round + 1) % 2) + 1}`,
      ),
    time: 800,
    changes: false,
  },
  { start: () => start("cache", "prune"), time: 300, changes: false },
];

/** Kills one at a moment that chance picks; it may have ended by itself. */
async function killOnce(round: number): Promise<void> {
  const kind = kinds[Math.floor(chance() * kinds.length)];
  if (kind === undefined) throw new RangeError("no such kind");
  if (kind.changes) await write(round);
  const started = kind.start(round);
  await Promise.race([setTimeout(Math.floor(chance() * kind.time)), started.ended]);
  kill(started, chance() < 0.5);
  await started.ended;
}

/** xbuild alone, or with all that it started in its group. */
function kill({ pid }: Started, isGroup: boolean): void {
  try {
    process.kill(isGroup ? -pid : pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

test(
  `killed at any instant (seed ${testSeed}), nothing loses a name, and the next build leaves nothing`,
  async () => {
    for (let round = 1; round <= kills; round += 1) {
      await killOnce(round);
      expect([round, await validateStore(project.store)]).toEqual([round, []]);
      expect([round, typeof (await project.findDigest())]).toEqual([round, "string"]);
      await assertPulled(round);
      if (round % 5 === 0) await buildAgain(round);
    }
    await buildAgain(kills + 1);
    expect(await checkStore(await openStore(project.store))).toEqual([]);
  },
  60_000 + kills * 15_000,
);

/** The tag in the registry stands for a whole image. */
async function assertPulled(round: number): Promise<void> {
  const directory = await mkdtemp(join(sandbox.directory, "pulled-"));
  const copied = sandbox.exec("skopeo", "copy", "-q", `docker://${pushed}`, `dir:${directory}`);
  await expect(
    copied.then(
      () => "whole",
      (error: unknown) => `${round}: ${String(error)}`,
    ),
  ).resolves.toBe("whole");
  await rm(directory, { recursive: true });
}

/** It checks the image with public tools, and that nothing is left of any run. */
async function buildAgain(round: number): Promise<void> {
  await write(round * 1000);
  const built = await project.build(["--no-cache"]);
  expect(built.layers.map((layer) => layer.split(" ")[0])).toEqual(["passwd", "group", "round"]);
  expect(await listLeftovers(sandbox, project.store)).toEqual([]);
}

test("8 builds of 4 names at once, with prunes beside them, are as when run alone", async () => {
  const env = { XBUILD_STORE: project.store, SOURCE_DATE_EPOCH: "1700000000" };
  const projects = await Promise.all([1, 2, 3, 4].map(() => sandbox.project()));
  for (const [index, one] of projects.entries()) {
    const layer = `echo ${index} >/tmp/a && /layers/bin/layer add a${index} /tmp/a`;
    const text = `FROM ${baseImage}\nOUTPUT /layers\nRUN ${layer}\n`;
    await one.write({ "Containerfile.x": text });
  }
  const build = async (one: Project): Promise<string> => {
    const words = ["--no-cache", "--no-load", "-t", one.name, one.context];
    const outcome = await runXbuild(sandbox, words, { env });
    expect(outcome).toMatchObject({ status: 0 });
    return outcome.stdout.trim().split("\n").at(-1) ?? "";
  };
  const alone: string[] = [];
  for (const one of projects) alone.push(await build(one));
  const prunes = [1, 2, 3].map(async (index) => {
    await setTimeout(index * 500);
    return (await start("cache", "prune").ended).status;
  });
  const together = await Promise.all([...projects, ...projects].map(build));
  expect(together).toEqual([...alone, ...alone]);
  expect(await Promise.all(prunes)).toEqual([0, 0, 0]);
  expect(await validateStore(project.store)).toEqual([]);
  expect(await listLeftovers(sandbox, project.store)).toEqual([]);
}, 180_000);
