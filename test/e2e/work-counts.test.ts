import { mkdir, readdir, stat, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// How much is read, packed and written, exactly: docs/benchmarks.md says why each is needed. What is asked of the engine is
// in engine-calls.test.ts, what the helper starts in test/layer-helper/forks.test.ts.

const sandbox = useSandbox();
const text = `FROM ${baseImage}
OUTPUT /layers
RUN --mount=type=bind,target=/context /layers/bin/layer each --name '{/}' /context/pkgs/*/.
`;
const packages = ["a", "b", "c", "d"];
let project: Project;

/** Bytes of one file of a package; what else is in the context is small. */
const size = 100_000;

async function writePackage(name: string, letter: string): Promise<void> {
  const directory = join(project.context, "pkgs", name);
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "file"), letter.repeat(size));
}

/** Waits until what was written is two seconds old: before that no ctime is believed, whatever the file system. */
async function settle(): Promise<void> {
  for (;;) {
    const files = packages.map((name) => stat(join(project.context, "pkgs", name, "file")));
    const latest = Math.max(...(await Promise.all(files)).map(({ ctimeMs }) => ctimeMs));
    if (Date.now() - latest > 2100) return;
    await sleep(100);
  }
}

interface Work {
  /** Thousands of bytes of the context that were hashed. */
  readonly hashed: number;
  /** Thousands of bytes of archives that were looked through. */
  readonly collected: number;
  /** Layers that the store has got. */
  readonly layers: number;
}

async function build(args: readonly string[] = ["--no-load"]): Promise<Work> {
  await settle();
  const before = await listBlobs();
  const { stderr } = await project.build([...args, "--progress=rawjson"]);
  const after = await listBlobs();
  const ends = stderr
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line): { type: string; title?: string; bytes?: number } => JSON.parse(line))
    .filter(({ type }) => type === "end");
  const sum = (title: string): number =>
    ends
      .filter((one) => one.title?.startsWith(title) === true)
      .reduce((total, one) => total + (one.bytes ?? 0), 0);
  return {
    hashed: Math.round(sum("Hashing ") / 1000),
    collected: Math.round(sum("Collecting layers") / 1000),
    layers: [...after].filter((name) => !before.has(name)).length - documents(before, after),
  };
}

/** Config and manifest, where there is a new image. */
function documents(before: ReadonlySet<string>, after: ReadonlySet<string>): number {
  return after.size === before.size ? 0 : 2;
}

async function listBlobs(): Promise<ReadonlySet<string>> {
  const directory = join(project.store, "blobs", "sha256");
  return new Set(await readdir(directory).catch(() => []));
}

beforeAll(async () => {
  project = await sandbox.project({ "Containerfile.x": text });
  for (const name of packages) await writePackage(name, name);
});

test("six workloads", async () => {
  const nothing: Work = { hashed: 0, collected: 0, layers: 0 };
  expect(await build()).toEqual({ hashed: 400, collected: 408, layers: 4 });
  expect(await build()).toEqual(nothing);
  // Loaded: nothing is read but what the engine gets.
  expect(await build(["--load"])).toEqual(nothing);
  await writePackage("b", "x");
  expect(await build()).toEqual({ hashed: 100, collected: 204, layers: 1 });
  // Touched: the content is looked at, and is what it was.
  const file = join(project.context, "pkgs", "c", "file");
  const { atime, mtime } = await stat(file);
  await utimes(file, atime, new Date(mtime.getTime() - 5000));
  expect(await build()).toEqual({ hashed: 100, collected: 0, layers: 0 });
  // All steps again: the helper writes what is not as it was by stat(2), and that proves to be equal.
  expect(await build(["--no-load", "--no-cache"])).toEqual({
    hashed: 0,
    collected: 102,
    layers: 0,
  });
});
