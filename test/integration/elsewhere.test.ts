import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { removeTree } from "../../src/system/remove-tree.ts";
import {
  awaitEnd,
  type BareMachine,
  canMakeBare,
  makeBareMachine,
} from "../support/bare-machine.ts";
import { bundleModule } from "../support/bundle.ts";
import { mainFile } from "../support/xbuild.ts";

// What other systems lack, taken from this one: no /proc, no flock (docs/reference.md, "Platforms"). What Linux has is
// tried by every other test.

const isPossible = canMakeBare();

let directory: string;
let machine: BareMachine;
let worker: Awaited<ReturnType<typeof bundleModule>>;
let place: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-bare-"));
  machine = makeBareMachine(directory);
  worker = await bundleModule("test/support/bare-worker.ts");
});

afterAll(async () => {
  await worker.remove();
  await rm(directory, { recursive: true });
});

beforeEach(async ({ skip }) => {
  skip(!isPossible, "no mount namespace may be made here");
  place = await mkdtemp(join(directory, "place-"));
});

function words(task: string, ...more: readonly string[]): readonly string[] {
  return [process.execPath, worker.file, task, place, ...more];
}

/** What a task says on that machine. */
async function run(task: string, ...more: readonly string[]): Promise<unknown> {
  const { status, stdout, stderr } = await machine.run(words(task, ...more));
  expect([status, stderr]).toEqual([0, ""]);
  return stdout === "" ? undefined : JSON.parse(stdout);
}

/** One who holds the lock until it is killed. */
async function hold(...more: readonly string[]): Promise<ChildProcess> {
  const child = machine.start(words("hold", ...more));
  if (child.stdout !== null) await once(child.stdout, "data");
  return child;
}

describe("a lock of files", () => {
  test("processes have it one at a time, also where some are killed, and nothing is left of it", async () => {
    await writeFile(join(place, "counter"), "0");
    const killed = await hold();
    const adding = Array.from({ length: 5 }, () => machine.run(words("add", "6")));
    killed.kill("SIGKILL");
    for (const { status, stderr } of await Promise.all(adding)) {
      expect([status, stderr]).toEqual([0, ""]);
    }
    expect(await readFile(join(place, "counter"), "utf8")).toBe("30");
    expect((await readdir(place)).sort()).toEqual(["counter", "lock"]);
  });

  test("who waits is told for whom, and gets it when that one is killed", async () => {
    const holder = await hold();
    const waiting = run("take");
    setTimeout(() => holder.kill("SIGKILL"), 2500);
    expect(await waiting).toEqual({
      told: [expect.stringContaining(`it is held by process ${holder.pid} `)],
    });
  });

  test("who gives up leaves nothing", async () => {
    const holder = await hold();
    expect(await run("giveUp")).toEqual({ outcome: true });
    expect(await readdir(join(place, "lock.tickets"))).toHaveLength(1);
    holder.kill("SIGKILL");
    expect(await run("take")).toEqual({ told: [] });
  });

  test("of a directory", async () => {
    const holder = await hold("directory");
    holder.kill("SIGKILL");
    expect(await run("take", "directory")).toEqual({ told: [] });
    expect(await readdir(place)).toEqual([]);
  });
});

test("a process is known by its start, and one of another machine is not known", async () => {
  expect(await run("identify")).toEqual({
    hasProc: false,
    own: expect.stringMatching(/^\d+\.\d{10}\.\.\.[0-9a-f]{8}$/),
    group: expect.any(Number),
    states: ["alive", "dead", "unknown"],
  });
});

test("directories are opened by path, no link is followed, and what was moved is an error", async () => {
  expect(await run("directories")).toEqual({
    names: ["é"],
    refused: "ENOTDIR",
    up: true,
    moved: "ESTALE",
  });
});

test("a tree is removed, however deep and wide it is, and nothing beside it", async () => {
  expect(await run("removal")).toEqual({ isGone: true, outside: ["file"] });
});

test("a secret stands where its owner alone gets in, and is gone when it was used", async () => {
  expect(await run("secrets")).toEqual({
    modes: [0o700, 0o600],
    text: "secret",
    left: 1,
    there: true,
  });
  expect(await readdir(place)).toEqual([]);
});

const notOpen = (fd: number | "N"): string => `x: the descriptor ${fd} is not open`;

test("what /dev names are this process's descriptors, but for its own", async () => {
  expect(await run("targets")).toEqual([
    1,
    2,
    notOpen(99),
    notOpen(5),
    `${notOpen("N")} for writing`,
    "special",
  ]);
});

/** What the user has emitted: a tree, and an archive. */
async function emit(): Promise<string> {
  const emitted = join(place, "emitted");
  await mkdir(join(emitted, "layers", "tree", "usr"), { recursive: true });
  await writeFile(join(emitted, "layers", "tree", "usr", "file"), "text");
  await execa("tar", [
    "-C",
    join(emitted, "layers", "tree"),
    "-cf",
    join(emitted, "layers", "b.tar"),
    ".",
  ]);
  return emitted;
}

function environment(store: string): NodeJS.ProcessEnv {
  return { ...process.env, XBUILD_STORE: join(place, store), SOURCE_DATE_EPOCH: "0" };
}

describe("xbuild", () => {
  const main = [process.execPath, mainFile];

  async function xbuild(args: readonly string[]): Promise<string> {
    const { status, stdout, stderr } = await machine.run([...main, ...args], environment("bare"));
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    return stdout;
  }

  test("collect makes the same image as on a whole machine, and the store is whole", async () => {
    const emitted = await emit();
    const args = ["collect", "-q", "-t", "app", emitted];
    const [program = "", ...before] = main;
    const { stdout } = await execa(program, [...before, ...args], { env: environment("whole") });
    expect(stdout).toMatch(/^[0-9a-f]{64}$/);
    expect((await xbuild(args)).trim()).toBe(stdout);
    expect(await xbuild(["images"])).toContain("localhost/app:latest");
    await xbuild(["cache", "verify"]);
    await xbuild(["cache", "prune", "--all"]);
    await xbuild(["rmi", "app"]);
    const left = await readdir(join(place, "bare"));
    expect(left.filter((name) => name.includes("ticket"))).toEqual([]);
  });

  test("what lies too deep for a path of this system is said to be so", async () => {
    const emitted = join(place, "deep");
    const name = "d".repeat(200);
    await execa("sh", [
      "-c",
      'mkdir -p "$1/layers/tree" && cd "$1/layers/tree" && for i in $(seq 30); do mkdir "$2" && cd -P "$2"; done',
      "sh",
      emitted,
      name,
    ]);
    const args = [...main, "collect", "-t", "app", emitted];
    const { status, stderr } = await machine.run(args, environment("bare"));
    expect([status, stderr]).toEqual([1, expect.stringContaining("output-unreadable")]);
    expect(stderr).toContain("its path is longer than this system allows");
    await removeTree(emitted);
  });

  test("processes that write, prune and are killed leave a whole store", async () => {
    const store = join(place, "store");
    const worker = await bundleModule("test/support/store-worker.ts");
    try {
      const start = (id: string, seed: string, count: string): ChildProcess =>
        machine.start([process.execPath, worker.file, store, id, seed, count]);
      const killed = start("k", "9", "1000");
      const others = ["a", "b", "a", "c"].map((id, index) =>
        awaitEnd(start(id, String(index), "3")),
      );
      setTimeout(() => killed.kill("SIGKILL"), 1000);
      const outcomes = await Promise.all([...others, awaitEnd(killed)]);
      expect(outcomes.map(({ stderr }) => stderr)).toEqual(outcomes.map(() => ""));
      expect(outcomes.slice(0, -1).map(({ status }) => status)).toEqual([0, 0, 0, 0]);
      const verified = await machine.run([...main, "cache", "verify"], environment("store"));
      expect(verified).toMatchObject({ status: 0 });
    } finally {
      await worker.remove();
    }
  });
});
