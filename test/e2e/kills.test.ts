import { checkStore } from "../helpers/store.ts";
import { setTimeout } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { openStore } from "../../src/store/store.ts";
import { validateStore } from "../helpers/check-image.ts";
import { listLeftovers } from "../helpers/leftovers.ts";
import type { Project } from "../helpers/project.ts";
import { baseImage, useSandbox } from "../helpers/sandbox.ts";
import { runXbuild, startXbuild, type Started } from "../helpers/xbuild.ts";

/** How many builds and prunes are killed: some here, hundreds where XBUILD_KILLS says so. */
const kills = Number(process.env["XBUILD_KILLS"] ?? 10);
/** A build here takes about two seconds, a prune a tenth of one. */
const longest = { build: 2500, prune: 150 };

const sandbox = useSandbox();
let project: Project;

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
  project = await sandbox.project();
  await write(0);
  await project.build();
});

/** The instant of the n-th kill: spread over the whole time, and the same each time. */
function pickDelay(round: number, limit: number): number {
  return Math.floor(((round * 0.618034) % 1) * limit);
}

async function killOnce(round: number): Promise<void> {
  const isPrune = round % 4 === 3;
  if (!isPrune) await write(round);
  const started = isPrune ? startPrune() : project.start();
  const delay = pickDelay(round, isPrune ? longest.prune : longest.build);
  await Promise.race([setTimeout(delay), started.ended]);
  kill(started, round % 2 === 0);
  await started.ended;
}

function startPrune(): Started {
  return startXbuild(sandbox, ["cache", "prune"], { env: { XBUILD_STORE: project.store } });
}

/** xbuild alone, or with all that it started in its group. It may have ended by itself. */
function kill({ pid }: Started, isGroup: boolean): void {
  try {
    process.kill(isGroup ? -pid : pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

test(
  "killed at any instant, builds and prunes lose no name, and the next build leaves nothing",
  async () => {
    for (let round = 1; round <= kills; round += 1) {
      await killOnce(round);
      expect([round, await validateStore(project.store)]).toEqual([round, []]);
      expect([round, typeof (await project.findDigest())]).toEqual([round, "string"]);
      if (round % 5 === 0) await buildAgain(round);
    }
    await buildAgain(kills + 1);
    expect(await checkStore(await openStore(project.store))).toEqual([]);
  },
  60_000 + kills * 10_000,
);

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
    return (await startPrune().ended).status;
  });
  const together = await Promise.all([...projects, ...projects].map(build));
  expect(together).toEqual([...alone, ...alone]);
  expect(await Promise.all(prunes)).toEqual([0, 0, 0]);
  expect(await validateStore(project.store)).toEqual([]);
  expect(await listLeftovers(sandbox, project.store)).toEqual([]);
}, 180_000);
