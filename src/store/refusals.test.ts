import { execFile, execFileSync, spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import {
  createTestImage,
  createTestLayer,
  stageTestLayers,
  withTemporaryDirectory,
} from "../../test/support/images.ts";
import { checkStore, commitTestImage, withStore } from "../../test/support/store.ts";
import { commitImage } from "./images/commit.ts";
import { findImage } from "./images/images.ts";
import { withLock } from "../system/lock.ts";
import { lockPath, type Store } from "./layout/paths.ts";
import { putRecord } from "./records/records.ts";
import { findDeadRuns } from "./runs/liveness.ts";
import { beginRun } from "./runs/runs.ts";
import { openStore } from "./layout/open.ts";

const name = "localhost/app:latest";
const isRoot = process.getuid?.() === 0;

/** A store on a file system of its own, of this size. Needs root. */
function withSmallStore(
  size: string,
  action: (store: Store, directory: string, mount: string) => Promise<void>,
): Promise<void> {
  return withTemporaryDirectory(async (directory) => {
    const mount = join(directory, "mount");
    await mkdir(mount);
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", mount]);
    try {
      await action(await openStore(join(mount, "store")), directory, mount);
    } finally {
      execFileSync("umount", [mount]);
    }
  });
}

test.runIf(isRoot)("a full disk is named, and the old image stays", () =>
  withSmallStore("1m", async (store, directory) => {
    const before = await commitTestImage(store, ["one"], { names: [name] });
    const layer = await createTestLayer("big", "x".repeat(2_000_000), "none");
    const image = createTestImage([layer]);
    const run = await beginRun(store);
    // Staged on another file system: it is copied, as far as there is space.
    const staged = await stageTestLayers([layer], join(directory, "elsewhere"));
    const files = new Map(staged.map(({ digest, path }) => [digest, path]));
    const refused = { code: "store-full", hint: expect.stringContaining("prune") };
    const input = { image, files, names: [name] };
    await expect(commitImage(run, input)).rejects.toMatchObject(refused);
    await run.end();
    expect(await findImage(store, name)).toEqual(before);
    expect(await checkStore(store)).toEqual([]);
    await commitTestImage(store, ["two"], { names: [name] });
  }),
);

test.runIf(isRoot)("with not a byte left, nothing is lost either", () =>
  withSmallStore("1m", async (store, _, mount) => {
    const before = await commitTestImage(store, ["one"], { names: [name] });
    await writeFile(join(mount, "filler"), Buffer.alloc(2_000_000)).catch(() => undefined);
    const record = { key: "k", manifest: before.digest, names: [] };
    await expect(putRecord(store, record)).rejects.toMatchObject({ code: "store-full" });
    expect(await findImage(store, name)).toEqual(before);
    expect(await readdir(join(store.directory, "tmp"))).toEqual([]);
  }),
);

test.runIf(isRoot)("a read-only store is read, and says why it is not written", () =>
  withSmallStore("1m", async (store, _, mount) => {
    const before = await commitTestImage(store, ["one"], { names: [name] });
    execFileSync("mount", ["-o", "remount,ro", mount]);
    expect(await findImage(store, name)).toEqual(before);
    expect(await checkStore(store)).toEqual([]);
    await expect(beginRun(store)).rejects.toMatchObject({
      code: "store-not-writable",
      message: expect.stringContaining("read-only"),
    });
  }),
);

test.runIf(isRoot)("a store of another user is neither read nor written: the error says so", () =>
  withStore(async (store, directory) => {
    await chmod(directory, 0o755);
    await commitTestImage(store, ["one"], { names: [name] });
    process.seteuid?.(65534);
    try {
      await expect(beginRun(store)).rejects.toMatchObject({
        code: "store-not-writable",
        message: expect.stringContaining("belongs to another user (EACCES)"),
      });
      await expect(findImage(store, name)).rejects.toMatchObject({ code: "store-not-writable" });
      await expect(checkStore(store)).rejects.toMatchObject({
        code: "store-not-writable",
      });
    } finally {
      process.seteuid?.(0);
    }
  }),
);

test("flock is used where the machine has it, whatever PATH says, so that all use the same lock", () =>
  withStore(async (store) => {
    await commitTestImage(store, ["one"], { names: [name] });
    const path = process.env["PATH"];
    process.env["PATH"] = store.directory;
    try {
      await withLock(lockPath(store), async () => {
        expect(spawnSync("/usr/bin/flock", ["-n", lockPath(store), "true"]).status).toBe(1);
        expect(await readdir(store.directory)).not.toContain("lock.tickets");
      });
    } finally {
      process.env["PATH"] = path;
    }
  }));

test("no process holds the lock for us, so that none can be killed to lose it", () =>
  withStore(async (store) => {
    await commitTestImage(store, ["one"], { names: [name] });
    await withLock(lockPath(store), async () => {
      expect(await listChildren("flock")).toEqual([]);
      const tried = promisify(execFile)("flock", ["-n", lockPath(store), "true"]);
      await expect(tried).rejects.toMatchObject({ code: 1 });
    });
    await promisify(execFile)("flock", ["-n", lockPath(store), "true"]);
  }));

/** The children of this process that run this program. */
async function listChildren(program: string): Promise<readonly number[]> {
  const tasks = await readdir("/proc/self/task");
  const texts = await Promise.all(
    tasks.map((task) => readFile(`/proc/self/task/${task}/children`, "utf8").catch(() => "")),
  );
  const pids = texts
    .join(" ")
    .split(" ")
    .filter((pid) => pid !== "");
  const names = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/comm`, "utf8").catch(() => "")),
  );
  return pids.filter((_, index) => names[index]?.trim() === program).map(Number);
}

test("a run directory that its owner may not write is removed all the same", () =>
  withStore(async (store) => {
    const run = await beginRun(store);
    const locked = join(run.layers, "locked");
    await mkdir(join(locked, "deep"), { recursive: true });
    await writeFile(join(locked, "deep", "file"), "");
    await chmod(join(locked, "deep"), 0o500);
    await chmod(locked, 0o000);
    await run.end();
    await expect(stat(run.directory)).rejects.toMatchObject({ code: "ENOENT" });
  }));

test("what is in tmp/ and is not xbuild's stays", () =>
  withStore(async (store) => {
    const run = await beginRun(store);
    await run.end();
    await writeFile(join(store.directory, "tmp", "mine"), "");
    expect(await findDeadRuns(store)).toBeUndefined();
    expect(await readdir(join(store.directory, "tmp"))).toEqual(["mine"]);
  }));
