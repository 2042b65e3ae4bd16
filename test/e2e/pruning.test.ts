import { readdir, readFile, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { testEngine } from "../support/engine.ts";
import { renderSize } from "../../src/units.ts";
import { gateStep, openGate, startGated } from "../support/gate.ts";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { assertStatus, type Outcome, runXbuild } from "../support/xbuild.ts";

const sandbox = useSandbox();
const day = 24 * 60 * 60 * 1000;

/** An environment of this many kilobytes, in two steps, and one layer. */
function writeFile(word: string, rest = ""): string {
  return `FROM ${baseImage}
RUN head -c 100000 /dev/urandom > /big-${word}
RUN echo ${word} > /word
OUTPUT /layers
RUN /layers/bin/layer add word /word
${rest}`;
}

interface Usage {
  readonly engines: readonly {
    readonly engines: readonly string[];
    readonly named: number;
    readonly steps: number;
    readonly used: number;
    readonly foreign: number;
    readonly size: number;
    readonly reclaimable: number;
  }[];
}

async function measure(project: Project, args: readonly string[] = []): Promise<Usage> {
  const outcome = await project.run(["cache", "du", "--format", "json", ...args]);
  assertStatus(outcome, 0);
  return JSON.parse(outcome.stdout);
}

async function prune(project: Project, args: readonly string[] = []): Promise<string> {
  const outcome = await project.run(["cache", "prune", ...args]);
  assertStatus(outcome, 0);
  return outcome.stdout;
}

/** No test finds what another one left. */
afterEach(async () => {
  const env = { XBUILD_STORE: join(sandbox.directory, "none") };
  assertStatus(await runXbuild(sandbox, ["cache", "prune", "--all"], { env }), 0);
});

/** Names and IDs of the engine's storage; what has no name counts by its ID. */
async function listStored(): Promise<readonly string[]> {
  const format = "--format={{.ID}} {{.Name}}:{{.Tag}}";
  const text = await sandbox.exec("buildah", "images", "--all", "--no-trunc", format);
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => line.split(/\s+/))
    .map(([id = "", name = ""]) => (name === "<none>:<none>" ? id : name))
    .sort();
}

async function listOurs(): Promise<readonly string[]> {
  return (await listStored()).filter((name) => name.startsWith("localhost/xbuild-"));
}

/** Bytes of all files of a directory. */
async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { withFileTypes: true, recursive: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => (await stat(join(parentPath, name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function ageFiles(directory: string, age: number): Promise<void> {
  const then = new Date(Date.now() - age);
  for (const name of await readdir(directory)) await utimes(join(directory, name), then, then);
}

/** Lets all that was built so far look as if it was last used this long ago. */
async function ageAll(project: Project, age: number): Promise<void> {
  await ageFiles(join(sandbox.directory, "graph", "overlay-images"), age);
  await ageFiles(join(project.store, "uses"), age);
  const then = new Date(Date.now() - age);
  await utimes(join(project.store, "cache", "tidied"), then, then);
}

/** Whether a build has looked for what others left. */
function asks({ calls }: Outcome): boolean {
  return calls.some((call) => / info\b/.test(call));
}

test("environments are counted once for the engines, stay while they are young, and go with --all", async () => {
  const before = await listStored();
  const project = await sandbox.project({ "Containerfile.x": writeFile("one") });
  await project.build(["--no-load"]);
  await project.write({ "Containerfile.x": writeFile("two") });
  await project.build(["--no-load"]);
  const { engines } = await measure(project);
  // The environment, its first step, and the one that it replaced with its first step.
  expect(engines).toMatchObject([{ named: 1, steps: 3, used: 0, foreign: 0 }]);
  expect(engines[0]?.engines).toContain(testEngine);
  expect(engines[0]?.size).toBeGreaterThan(200_000);
  expect(engines[0]?.size).toBeLessThan(220_000);
  const stored = await listStored();
  expect(await prune(project)).not.toMatch(/\((?:buildah|podman)\)/);
  expect(await prune(project, ["--all", "--dry-run"])).toContain(
    "Would untag: localhost/xbuild-env:",
  );
  expect(await listStored()).toEqual(stored);
  const [name] = await listOurs();
  const outcome = JSON.parse(await prune(project, ["--all", "--format", "json"]));
  expect(outcome.engines).toMatchObject([{ names: [name], freed: engines[0]?.reclaimable }]);
  expect(await listStored()).toEqual(before);
  expect((await measure(project)).engines).toMatchObject([{ named: 0, steps: 0, size: 0 }]);
});

test("--all leaves what has a name whole, and the store nothing else", async () => {
  const project = await sandbox.project({ "Containerfile.x": writeFile("kept") });
  await project.build(["--no-load"]);
  await project.run(["build", "--no-load", project.context]);
  await project.write({ "Containerfile.x": writeFile("other") });
  assertStatus(await project.run(["build", "--no-load", project.context]), 0);
  const size = await sizeOf(project.store);
  const known = await sizeOf(join(project.store, "uses"));
  const { freed, engines } = JSON.parse(await prune(project, ["--all", "--format", "json"]));
  // Nothing uses the environment any more, and what is known of that is no record of a build.
  const uses = await sizeOf(join(project.store, "uses"));
  expect(uses).toBe(0);
  expect(await sizeOf(project.store)).toBe(size - known - (freed - engines[0].freed));
  expect(await readdir(join(project.store, "cache"))).toEqual([]);
  expect(await readdir(join(project.store, "refs"))).toHaveLength(2);
  const listed = JSON.parse((await project.run(["cache", "ls", "--format", "json"])).stdout);
  expect(listed).toMatchObject([{ names: [project.name] }]);
  assertStatus(await project.run(["cache", "verify"]), 0);
  await project.write({ "Containerfile.x": writeFile("kept") });
  expect((await project.build(["--no-load"])).metadata.upToDate).toBe(true);
});

test("what rmi says that it freed is what is free, and it says why something stays", async () => {
  const project = await sandbox.project({ "Containerfile.x": writeFile("rmi") });
  const { metadata } = await project.build(["--no-load"]);
  await project.run(["tag", project.name, "other"]);
  await project.write({ "Containerfile.x": writeFile("newer") });
  const newer = await project.build(["--no-load", "-t", "newer"]);
  const first = await project.run(["rmi", project.name]);
  expect(first.stdout).toContain(
    `Kept: ${metadata.digest.slice(0, 19)}, which is localhost/other:latest, too`,
  );
  // The list of names stands in the store twice, and is no image's.
  const measureImages = async (): Promise<number> =>
    (await sizeOf(project.store)) - 2 * (await stat(join(project.store, "index.json"))).size;
  const before = await measureImages();
  const second = await project.run(["rmi", "other"]);
  const freed = renderSize(before - (await measureImages()));
  expect(second.stdout).toBe(
    `Untagged: localhost/other:latest\nDeleted: ${metadata.digest}\nTotal: ${freed} freed\n`,
  );
  const third = await project.run(["rmi", "newer"]);
  expect(third.stdout).toMatch(
    /Kept: .*, the last build of .*: xbuild cache prune --all removes it/,
  );
  expect(await prune(project, ["--all"])).toContain(`Deleted: ${newer.metadata.digest}\n`);
  expect(await readdir(join(project.store, "blobs", "sha256"))).toEqual([]);
});

test("what a running build uses stays, whichever store is pruned; others' names and images, too", async () => {
  const text = `FROM ${baseImage} AS tools
RUN echo tool > /tool
${writeFile("running", "COPY --from=tools /tool /tool\n")}${gateStep}
`;
  const project = await sandbox.project({ "Containerfile.x": text });
  const other = await sandbox.project({ "Containerfile.x": writeFile("idle") });
  await other.build(["--no-load"]);
  const [idle = ""] = await listOurs();
  await sandbox.exec("buildah", "tag", idle, "localhost/mine:latest");
  const started = await startGated(project, ["--no-load"]);
  try {
    const used = (await listOurs()).filter((name) => name !== idle);
    // Two at once; what runs is not for the checks of `project.run`.
    const pruned = await Promise.all(
      [other, other, project].map(({ store }) =>
        runXbuild(sandbox, ["cache", "prune", "--all"], { env: { XBUILD_STORE: store } }),
      ),
    );
    for (const outcome of pruned) assertStatus(outcome, 0);
    const said = pruned.map(({ stdout }) => stdout);
    expect(said.filter((one) => one.includes(`Untagged: ${idle} `)).length).toBe(1);
    expect(await listOurs()).toEqual(used);
    expect(used.filter((name) => name.startsWith("localhost/xbuild-env:")).length).toBe(2);
    expect(await listStored()).toContain("localhost/mine:latest");
  } finally {
    await openGate(project);
  }
  assertStatus(await started.ended, 0);
  await sandbox.exec("buildah", "rmi", "localhost/mine:latest");
  // Another store's are left alone until all is to go.
  expect((await measure(other)).engines).toMatchObject([{ named: 2, used: 0, foreign: 2 }]);
  expect(await prune(other, ["--older-than", "0s"])).not.toContain("Untagged");
  expect((await listOurs()).length).toBe(2);
});

test("a base that a file names by its ID, and that has no other name, loses ours alone", async () => {
  const words = ["build", "--quiet", "--layers=false", join(sandbox.directory, "base")];
  const id = await sandbox.exec("buildah", ...words);
  const text = writeFile("id").replace(/FROM.*\nRUN.*\nRUN.*\n/, `FROM ${id}\n`);
  const project = await sandbox.project({ "Containerfile.x": text.replaceAll("word", "etc") });
  await project.build(["--no-load"]);
  expect((await listOurs()).length).toBe(1);
  await prune(project, ["--all"]);
  expect(await listOurs()).toEqual([]);
  expect(await listStored()).toContain(`sha256:${id}`);
  await sandbox.exec("buildah", "rmi", id);
});

test("what no build used for a month goes by itself, once a day, unless that is switched off", async () => {
  const project = await sandbox.project({ "Containerfile.x": writeFile("old") });
  await project.run(["--no-load", "-t", "old", project.context]);
  const [old = ""] = await listOurs();
  const build = async (word: string, maxAge: string): Promise<Outcome> => {
    await project.write({ "Containerfile.x": writeFile("new", `RUN : ${word}\n`) });
    const env = { XBUILD_CACHE_MAX_AGE: maxAge };
    return project.run(["--no-load", "-t", "new", project.context], { env });
  };
  await ageAll(project, 31 * day);
  const off = await build("1", "off");
  const longer = await build("2", "5w");
  expect([off.status, asks(off), longer.status, asks(longer)]).toEqual([0, false, 0, true]);
  expect(await listOurs()).toContain(old);
  const second = await build("3", "1d");
  expect([second.status, asks(second)]).toEqual([0, false]);
  await ageAll(project, 31 * day);
  assertStatus(await build("4", ""), 0);
  const left = await listOurs();
  expect([left.length, left.includes(old)]).toEqual([1, false]);
  // Names of images are never taken.
  expect(await readFile(join(project.store, "index.json"), "utf8")).toContain(
    "localhost/old:latest",
  );
  expect(await build("5", "soon")).toMatchObject({ status: 125, builds: [] });
});

test("steps of a build that failed before it had a name go, too", async () => {
  const before = await listStored();
  const text = writeFile("failing").replace("OUTPUT", "RUN false\nOUTPUT");
  const project = await sandbox.project({ "Containerfile.x": text });
  await project.fail(1);
  expect((await measure(project)).engines).toMatchObject([{ named: 0, steps: 2 }]);
  expect(await prune(project, ["--older-than", "1h"])).not.toContain("Deleted");
  await prune(project, ["--all"]);
  expect(await listStored()).toEqual(before);
});
