import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { bundleModule } from "../../../test/support/bundle.ts";
import { checkStore, withStore } from "../../../test/support/store.ts";
import { validateLayout } from "../../../test/support/validate-layout.ts";
import { findImage, listImages } from "../images/images.ts";
import { withLock } from "../../system/lock.ts";
import { lockPath, type Store } from "./paths.ts";
import { pruneStore } from "../maintenance/prune.ts";
import { findDeadRuns } from "../runs/liveness.ts";
import { beginRun } from "../runs/runs.ts";
import { findBlob } from "../blobs/blobs.ts";

/** How many processes are killed: some tens here, more where XBUILD_KILLS says so. */
const kills = Number(process.env["XBUILD_KILLS"] ?? 30);
const atOnce = 3;

let worker: Awaited<ReturnType<typeof bundleModule>>;
beforeAll(async () => {
  worker = await bundleModule("test/support/store-worker.ts");
});
afterAll(() => worker.remove());

interface Outcome {
  readonly status: number | null;
  /** What it said: `begin NAME DIGEST`, `done NAME DIGEST`. */
  readonly lines: readonly string[];
  readonly errors: string;
}

/** Runs a worker to its end, or kills it `delay` milliseconds after it began to work. */
async function runWorker(store: Store, words: readonly string[], delay?: number): Promise<Outcome> {
  const child = spawn(process.execPath, [worker.file, store.directory, ...words]);
  const output: string[] = [];
  const errors: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => output.push(text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => errors.push(text));
  const closed = once(child, "close");
  if (delay !== undefined) {
    await once(child.stdout, "data");
    setTimeout(() => child.kill("SIGKILL"), delay);
  }
  await closed;
  const lines = output.join("").split("\n").slice(0, -1);
  return { status: child.exitCode, lines, errors: errors.join("") };
}

/** Of one name: the digest that was certain last, and those that may have come after it. */
function listPossible(lines: readonly string[], name: string): ReadonlySet<string> {
  const own = lines.map((line) => line.split(" ")).filter(([, what]) => what === name);
  const last = own.findLastIndex(([verb]) => verb === "done");
  return new Set(own.slice(Math.max(last, 0)).map(([, , digest]) => digest ?? ""));
}

/** Nothing is wrong, every name has all its layers, and the next run leaves nothing of the dead ones. */
async function expectWhole(store: Store): Promise<void> {
  expect(await checkStore(store)).toEqual([]);
  expect(await validateLayout(store.directory)).toEqual([]);
  for (const { images } of await listImages(store)) {
    for (const layer of images.flatMap((image) => image.manifest.layers)) {
      expect(await findBlob(store, layer)).toBeDefined();
    }
  }
  const dead = (await (await findDeadRuns(store))?.claim()) ?? [];
  for (const run of dead) expect(run.notes[0]?.key).toBe("container");
  await Promise.all(dead.map((run) => run.remove()));
  const run = await beginRun(store);
  expect((await readdir(join(store.directory, "tmp"))).length).toBe(1);
  await run.end();
}

test(
  "killed at any instant, beside others, processes lose no name and leave no wrong byte",
  () =>
    withStore(async (store) => {
      const said = new Map<string, string[]>();
      let started = 0;
      const killInTurn = async (id: string): Promise<void> => {
        while (started < kills) {
          started += 1;
          const { lines, errors } = await runWorker(
            store,
            [id, String(started)],
            (started * 13) % 120,
          );
          expect(errors).toBe("");
          said.set(id, [...(said.get(id) ?? []), ...lines]);
        }
      };
      const ids = Array.from({ length: atOnce }, (_, index) => `worker${index}`);
      await Promise.all(ids.map(killInTurn));
      await expectWhole(store);
      for (const id of ids) {
        const name = `localhost/${id}:latest`;
        const possible = listPossible(said.get(id) ?? [], name);
        // Nothing said and nothing there is as it should be, too.
        const digest = (await findImage(store, name))?.digest ?? [...possible][0];
        expect([id, digest, possible.has(digest ?? "")]).toEqual([
          id,
          digest,
          digest !== undefined,
        ]);
      }
      await pruneStore(store, {});
      await expectWhole(store);
    }),
  60_000 + kills * 1000,
);

test("8 processes of 4 names, with prunes beside them, end with every name on its last image", () =>
  withStore(async (store) => {
    const ids = ["a", "b", "c", "d", "a", "b", "c", "d"];
    const words = ids.map((id, index) => [id, String(index + 1), "12"]);
    const outcomes = await Promise.all(words.map((word) => runWorker(store, word)));
    expect(outcomes.map(({ status, errors }) => [status, errors])).toEqual(ids.map(() => [0, ""]));
    await expectWhole(store);
    for (const id of new Set(ids)) {
      const name = `localhost/${id}:latest`;
      const lines = outcomes.flatMap((outcome) => outcome.lines.filter((l) => l.includes(name)));
      const committed = new Set(lines.map((line) => line.split(" ")[2]));
      expect(committed).toContain((await findImage(store, name))?.digest);
    }
  }));

test("a lock is free the moment its process is killed, and waits for no one else", () =>
  withStore(async (store) => {
    const run = await beginRun(store);
    const child = spawn("flock", [lockPath(store), "cat"], { stdio: ["pipe", "pipe", "ignore"] });
    child.stdin.write("held\n");
    await once(child.stdout, "data");
    const order: string[] = [];
    const waiting = withLock(lockPath(store), async () => order.push("ours"));
    order.push("theirs");
    child.stdin.end();
    await waiting;
    expect(order).toEqual(["theirs", "ours"]);
    await run.end();
  }));
