import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { packTree } from "../../src/archive/pack/pack-tree.ts";
import { createPackStream } from "../../src/archive/pack/stream.ts";
import { closeDirectory, openOutput } from "../../src/archive/read/directory.ts";
import { collect, createDirectory } from "../support/layers/fixtures.ts";
import { scanOutput } from "../../src/layers/directory/output-scan.ts";
import { listXattrPrograms } from "../../src/layers/collect/xattr-programs.ts";
import { readTreeXattrs } from "../../src/layers/collect/xattrs.ts";
import type { Entry } from "../../src/archive/tar/entry.ts";

/** Directories in one another, each with a file whose place comes before and one whose place comes behind. */
const makeDeep = `
import os, sys
os.chdir(sys.argv[1])
for i in range(int(sys.argv[2])):
    open("a", "w").close()
    open("z", "w").close()
    os.mkdir("d")
    os.chdir("d")
`;

function createDeep(depth: number): string {
  const directory = createDirectory();
  // Node's own removal stops at paths that are too long.
  onTestFinished(() => void execFileSync("rm", ["-rf", directory]));
  mkdirSync(join(directory, "layers/a"), { recursive: true });
  execFileSync("python3", ["-c", makeDeep, join(directory, "layers/a"), String(depth)]);
  return directory;
}

async function pack(path: string, check: (entry: Entry) => void): Promise<void> {
  const root = openOutput(path);
  const stream = createPackStream({
    shown: "output/layers/a",
    epoch: 0,
    maxSize: 1024 ** 3,
    signal: undefined,
  });
  try {
    await packTree(root, stream, {
      check,
      findXattrs: () => [],
      onSocket: () => undefined,
    });
    await stream.end();
  } finally {
    closeDirectory(root);
  }
}

function countOpen(): number {
  return readdirSync("/proc/self/fd").length;
}

it("a deep tree is packed with few directories open", async () => {
  const path = join(createDeep(990), "layers/a");
  const before = countOpen();
  let most = 0;
  const packed: string[] = [];
  await pack(path, (entry) => {
    most = Math.max(most, countOpen());
    packed.push(entry.path);
  });
  expect(most - before).toBeLessThan(32);
  expect(countOpen()).toBe(before);
  const levels = Array.from({ length: 990 }, (_, depth) => "d/".repeat(depth));
  expect(packed).toEqual([
    ...levels.flatMap((prefix) => [`${prefix}a`, `${prefix}d`]),
    ...levels.toReversed().map((prefix) => `${prefix}z`),
  ]);
});

it.each(listXattrPrograms(process.arch))(
  "$program reads the attributes of a deep tree with few descriptors",
  async ({ program, args }) => {
    const output = createDeep(990);
    const deepest = `${"d/".repeat(989)}z`;
    const set = ["-c", `cd $1 && ${"cd d;".repeat(989)} setfattr -n user.x -v y z`, "sh"];
    execFileSync("sh", [...set, join(output, "layers/a")]);
    const directory = openOutput(output);
    const opened = [directory];
    onTestFinished(() => opened.forEach(closeDirectory));
    const scan = scanOutput(directory, (other) => opened.push(other));
    const warnings: unknown[] = [];
    const find = await readTreeXattrs(scan, {
      warn: (warning) => warnings.push(warning),
      programs: [{ program: "prlimit", args: ["--nofile=40", program, ...args] }],
    });
    expect(warnings).toEqual([]);
    const [layer] = scan.layers;
    expect(layer && find(layer, deepest)).toEqual([["user.x", "y"]]);
  },
);

it("a program that reads attributes ends at the signal", async () => {
  const output = createDeep(1);
  const directory = openOutput(output);
  const opened = [directory];
  onTestFinished(() => opened.forEach(closeDirectory));
  const scan = scanOutput(directory, (other) => opened.push(other));
  const abort = new AbortController();
  const outcome = readTreeXattrs(scan, {
    warn: () => undefined,
    signal: abort.signal,
    programs: [{ program: "sleep", args: ["infinity"] }],
  });
  abort.abort(new Error("interrupted"));
  await expect(outcome).rejects.toThrow("interrupted");
});

it("a directory that is moved while what is in it is packed leads nowhere else", async () => {
  const root = createDeep(60);
  const path = join(root, "layers/a");
  const elsewhere = createDirectory();
  writeFileSync(join(elsewhere, "z"), "secret");
  const packed: string[] = [];
  const outcome = pack(path, (entry) => {
    packed.push(entry.path);
    const depth = entry.path.split("/").length;
    if (depth === 55 && entry.path.endsWith("a")) {
      // The 40th directory moves, with all that is in it, to where another one lies beside it.
      renameSync(join(path, "d/".repeat(40)), join(elsewhere, "d"));
    }
  });
  await expect(outcome).rejects.toMatchObject({ code: "output-changed" });
  expect(packed).not.toContain(`${"d/".repeat(39)}z`);
});

it.each([1100, 2600])("a tree of %d levels is refused", async (depth) => {
  await expect(collect(createDeep(depth))).rejects.toMatchObject({ code: "layer-tar-broken" });
});
