import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { expect, it } from "vitest";
import { mapParallel } from "./parallel.ts";

it("gives the results in order, and runs no more than it may", async () => {
  let [running, most] = [0, 0];
  const run = async (item: number): Promise<number> => {
    running += 1;
    most = Math.max(most, running);
    for (let turn = item; turn < 9; turn += 1) await setImmediate();
    running -= 1;
    return item * 2;
  };
  const items = [...Array.from({ length: 9 }).keys()];
  expect(await mapParallel(items, run, { limit: 3, abort: () => {} })).toEqual(
    items.map((item) => item * 2),
  );
  expect(most).toBe(3);
});

it("starts nothing after the first failure, and throws it when all have ended", async () => {
  const stop = new AbortController();
  const told = once(stop.signal, "abort");
  const [started, ended]: [number[], number[]] = [[], []];
  const run = async (item: number): Promise<void> => {
    started.push(item);
    // The second one fails first, the others when they have heard of it.
    if (item !== 1) await told;
    ended.push(item);
    throw new Error(`failure ${item}`);
  };
  const mapped = mapParallel([0, 1, 2, 3, 4], run, {
    limit: 3,
    abort: (reason) => stop.abort(reason),
  });
  await expect(mapped).rejects.toThrow("failure 1");
  expect(stop.signal.reason).toEqual(new Error("failure 1"));
  expect([started, ended]).toEqual([
    [0, 1, 2],
    [1, 0, 2],
  ]);
});
