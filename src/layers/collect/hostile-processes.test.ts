import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  collect,
  createDirectory,
  layersOf,
  makeTar,
  writeBlobs,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";

/** A process that the build left behind: goes on until the test ends. */
async function startProcess(program: string, ...args: readonly string[]): Promise<void> {
  const child = spawn("python3", ["-c", program, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  await new Promise((resolve) => child.stdout.once("data", resolve));
}

const appender = `
import sys, time
f = open(sys.argv[1], "ab", buffering=0)
print("up", flush=True)
while True: f.write(b"x"); time.sleep(0.0005)`;

const swapper = `
import sys, os
tree, link, spare = sys.argv[1:4]
print("up", flush=True)
while True:
  os.rename(tree, spare); os.rename(link, tree)
  os.rename(tree, link); os.rename(spare, tree)`;

const bigSize = 150 * 1024 * 1024;

describe("a process left behind", () => {
  it("that goes on writing a file of a tree is found out", async () => {
    const output = writeFiles(createDirectory(), { "layers/a/big": Buffer.alloc(bigSize) });
    await startProcess(appender, join(output, "layers/a/big"));
    const staging = createDirectory();
    await expect(collect(output, { staging })).rejects.toMatchObject({ code: "output-changed" });
    expect(readdirSync(staging)).toEqual([]);
  });

  it("that goes on writing a blob is found out", async () => {
    const output = createDirectory();
    const source = writeFiles(createDirectory(), { big: Buffer.alloc(bigSize) });
    const [digest] = writeBlobs(output, makeTar(source));
    writeFiles(output, { "history.json": JSON.stringify([{ created_by: "a", digest }]) });
    await startProcess(appender, join(output, "blobs/sha256", digest?.slice(7) ?? ""));
    const staging = createDirectory();
    const outcome = collect(output, { staging });
    await expect(outcome).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:output-changed|blob-digest-mismatch|layer-tar-.*)$/),
    });
    expect(readdirSync(staging)).toEqual([]);
  });

  it("that swaps directories for links reads nothing of ours", async () => {
    const secrets = writeFiles(createDirectory(), { "x/f": "the secret", f: "the secret" });
    const output = writeFiles(createDirectory(), {
      "layers/a/d/x/f": "harmless!!",
      "layers/a/d/f": "harmless!!",
    });
    const spare = createDirectory();
    execFileSync("ln", ["-s", secrets, join(spare, "link")]);
    await startProcess(
      swapper,
      join(output, "layers/a/d"),
      join(spare, "link"),
      join(spare, "spare"),
    );
    for (let turn = 0; turn < 60; turn++) {
      const staging = createDirectory();
      const outcome = await collect(output, { staging, compression: "none" }).catch(
        (error: unknown) => error,
      );
      for (const name of readdirSync(staging)) {
        expect(readFileSync(join(staging, name)).includes("the secret")).toBe(false);
      }
      expect(outcome).toBeDefined();
    }
  });

  it("is not waited for once another layer is refused", async () => {
    const output = writeFiles(createDirectory(), {
      "layers/a/big": Buffer.alloc(bigSize),
      "layers/b.tar": "x",
    });
    const staging = createDirectory();
    await expect(collect(output, { staging })).rejects.toMatchObject({
      code: "layer-tar-truncated",
    });
    await setTimeout(50);
    expect(readdirSync(staging)).toEqual([]);
  });

  it("stops at the caller's signal", async () => {
    const output = writeFiles(createDirectory(), { "layers/a/big": Buffer.alloc(bigSize) });
    const abort = new AbortController();
    const staging = createDirectory();
    const outcome = collect(output, { staging, signal: abort.signal });
    abort.abort(new Error("interrupted"));
    await expect(outcome).rejects.toThrow("interrupted");
    expect(readdirSync(staging)).toEqual([]);
  });
});

it("another directory in the place of the output is not read", async () => {
  const output = writeFiles(createDirectory(), { "layers/a/f": "theirs" });
  const { dev, ino } = statSync(createDirectory(), { bigint: true });
  await expect(collect(output, { identity: { dev, ino } })).rejects.toMatchObject({
    code: "output-changed",
  });
});

describe("very large trees", () => {
  it("takes 100,000 files", async () => {
    const output = createDirectory();
    mkdirSync(join(output, "layers/a"), { recursive: true });
    const program =
      "import sys, os\nos.chdir(sys.argv[1])\nfor i in range(100000): open(f'f{i}', 'x').close()";
    execFileSync("python3", ["-c", program, join(output, "layers/a")]);
    const [layer] = layersOf(await collect(output));
    const count = execFileSync("sh", ["-c", `tar -tzf ${layer?.blob?.path ?? ""} | wc -l`], {
      encoding: "utf8",
    });
    expect(Number(count)).toBe(100_000);
  }, 300_000);

  it.each([
    [500, "d", "taken"],
    [1100, "d", "layer-tar-broken"],
    [30, "d".repeat(200), "layer-tar-broken"],
  ])("looks at directories %d deep", async (depth, name, code) => {
    const output = createDirectory();
    mkdirSync(join(output, "layers/a"), { recursive: true });
    writeFileSync(join(output, "layers/a/x"), "");
    const program =
      "import sys, os\nos.chdir(sys.argv[1])\nfor i in range(int(sys.argv[2])): os.mkdir(sys.argv[3]); os.chdir(sys.argv[3])";
    execFileSync("python3", ["-c", program, join(output, "layers/a"), String(depth), name]);
    const outcome = await collect(output).then(
      () => ({ code: "taken" }),
      (error: unknown) => error,
    );
    // Node's own removal stops at paths that are too long.
    execFileSync("rm", ["-rf", output]);
    expect(outcome).toMatchObject({ code });
  });
});
