import { mkdtemp } from "node:fs/promises";
import { afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { useBuildKit } from "../support/buildkit.ts";
import {
  type BuildKitDaemon,
  removeDaemonFiles,
  startBuildKit,
} from "../support/buildkit-daemon.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { useSandbox } from "../support/sandbox.ts";
import { chooseBuilder, createKitProject, type KitProject, pushBase } from "./kit-project.ts";

// Builders that go away in the middle, that cannot be reached, and that say nothing any more; users who interrupt.

const sandbox = useSandbox();
const service = useRegistry({ tls: false });
const buildKit = useBuildKit();
let base: string;
let directory: string;
let second: BuildKitDaemon | undefined;

beforeAll(async () => {
  await configureAccess(sandbox.directory, service.proxy, { credentials: undefined });
  base = await pushBase(sandbox, service.proxy.host);
});

// One that was killed may have left what no later one can work with: each test has a daemon's files of its own.
beforeEach(async () => {
  directory = await mkdtemp("/var/tmp/xbuild-buildkit-");
});

afterEach(async () => {
  second?.stop.signal("SIGCONT");
  await second?.stop();
  second = undefined;
  await removeDaemonFiles(directory);
});

async function startSecond(): Promise<BuildKitDaemon> {
  second = await startBuildKit(directory);
  return second;
}

/** Stages that wait for a file of the context to be of another one, so that the test says when they go on. */
function stages(count: number): string {
  const names = Array.from({ length: count }, (_, at) => `s${at + 1}`);
  const each = names.map(
    (name) =>
      `FROM ${base} AS ${name}\nOUTPUT /layers\nRUN echo begun ${name}; sleep 3; mkdir /layers/output/layers/${name}\n`,
  );
  const froms = names.map((name) => `--from=${name}`).join(" ");
  return `${each.join("")}FROM scratch AS app\nOUTPUT ${froms} /layers\n`;
}

function project(text: string, ...addresses: readonly string[]): Promise<KitProject> {
  const env = chooseBuilder(sandbox, buildKit, ...addresses);
  return createKitProject(sandbox, { "Containerfile.x": text }, env);
}

test("a builder that is killed is left out, and its stages begin again on another one", async () => {
  const { address, stop } = await startSecond();
  const app = await project(stages(4), buildKit.address, address);
  const words = ["-t", app.name, "--jobs=4", app.context];
  const started = app.start(["--jobs=4"]);
  await Promise.all([1, 2, 3, 4].map((at) => started.says(`begun s${at}`)));
  stop.signal("SIGKILL");
  const { status, stderr } = await started.ended;
  expect({ status, stderr }).toMatchObject({ status: 0 });
  expect(stderr).toContain("warning[builder-lost]");
  expect(stderr).toContain(`its work begins again on ${buildKit.address}`);
  const again = await app.run(words);
  expect(again.stdout).toContain("Up to date");
});

test("where it was the only one, that is the error, and the next build goes on where it was", async () => {
  const { address, stop } = await startSecond();
  const app = await project(stages(2), address);
  const started = app.start();
  await started.says("begun s2");
  stop.signal("SIGKILL");
  const { status, stderr } = await started.ended;
  expect(status).toBe(1);
  expect(stderr).toContain("error[builder-lost]");
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(await app.findDigest()).toBeUndefined();
  await startSecond();
  const { stdout } = await app.build();
  expect(stdout).not.toContain("begun s1");
  expect(stdout).toContain("begun s2");
});

test("one that says nothing any more is given up", async () => {
  const { address, stop } = await startSecond();
  const app = await project(
    `FROM ${base}\nOUTPUT /layers\nRUN mkdir /layers/output/layers/a\n`,
    address,
  );
  await app.build();
  stop.signal("SIGSTOP");
  const { stderr } = await app.fail(1, ["--no-cache"], { env: { XBUILD_STALL_TIMEOUT: "2" } });
  expect(stderr).toMatch(/error\[builder-lost\]/);
});

test("one that says nothing any more while a step runs is given up, too", async () => {
  const { address, stop } = await startSecond();
  const text = `FROM ${base}\nOUTPUT /layers\nRUN echo begun; sleep 1000\n`;
  const app = await project(text, address);
  const started = app.start([], { env: { XBUILD_STALL_TIMEOUT: "4" } });
  await started.says("begun\n");
  stop.signal("SIGSTOP");
  const { status, stderr } = await started.ended;
  expect(status).toBe(1);
  expect(stderr).toContain(`error[builder-lost]: nothing came from ${address}`);
});

test("a step may be silent for longer than that, if the builder answers", async () => {
  const text = `FROM ${base}\nOUTPUT /layers\nRUN sleep 14; mkdir /layers/output/layers/a\n`;
  const app = await project(text, buildKit.address);
  const { layers } = await app.build([], { env: { XBUILD_STALL_TIMEOUT: "10" } });
  expect(layers).toEqual(["a new"]);
});

test("one that cannot be reached is said so", async () => {
  const app = await project(
    `FROM ${base}\nRUN true\nOUTPUT /layers\nRUN true\n`,
    "tcp://127.0.0.1:1",
  );
  const { stderr } = await app.fail(1);
  expect(stderr).toContain("error[builder-lost]: the builder tcp://127.0.0.1:1");
  expect(stderr).toContain("connection refused");
});

test("who interrupts a build leaves nothing behind", async () => {
  const app = await project(
    `FROM ${base}\nOUTPUT /layers\nRUN echo begun; sleep 1000\n`,
    buildKit.address,
  );
  const started = app.start();
  await started.says("begun\n");
  started.signal("SIGINT");
  const { status, stderr } = await started.ended;
  expect(status).toBe(130);
  expect(stderr).toContain("interrupted; what was not finished is undone");
  // The next one would be told of what is left.
  const next = await app.run(["--version"]);
  expect(next.status).toBe(0);
});
