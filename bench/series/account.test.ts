import { describe, expect, test } from "vitest";
import { accountSteps, checkPlan } from "./account.ts";
import type { Plan, Release } from "./model.ts";
import { releaseOf, unitOf } from "./sample.ts";

const a = unitOf("a", { size: 100 });
const b = unitOf("b", { size: 1000 });
const c = unitOf("c", { size: 10_000 });
const newer = { ...b, version: "2", size: 2000, packed: 150 };
const first = releaseOf("2026-01-01", a, b, c);

function account(...planned: readonly (readonly [Release, Plan])[]) {
  return accountSteps(
    planned.map(([release, plan]) => ({ release, plan, seconds: 0.5 })),
    5,
  );
}

test("a layer above that changes is pushed and unpacked alone", () => {
  const second = releaseOf("2026-01-02", a, newer, c);
  const plan = [["dpkg a"], ["dpkg c"], ["dpkg b"]];
  expect(account([first, plan], [second, plan])).toEqual([
    {
      date: "2026-01-02",
      pushed: 150,
      unpacked: 2000,
      packed: 10 + 150 + 1000,
      layers: 3,
      kept: 2,
      seconds: 0.5,
    },
  ]);
});

test("what lies above a layer that changes is unpacked anew, and not pushed", () => {
  const second = releaseOf("2026-01-02", a, newer, c);
  const plan = [["dpkg a"], ["dpkg b"], ["dpkg c"]];
  expect(account([first, plan], [second, plan])[0]).toMatchObject({
    pushed: 150,
    unpacked: 12_000,
  });
});

test("a layer is known by what is in it, wherever it lies and in whatever order", () => {
  const [before, after] = [
    [["dpkg a", "dpkg b"], ["dpkg c"]],
    [["dpkg c"], ["dpkg b", "dpkg a"]],
  ];
  expect(account([first, before], [first, after])[0]).toMatchObject({
    pushed: 0,
    kept: 2,
    unpacked: 11_100,
  });
});

test("nothing is to be done for the same image", () => {
  const plan = [["dpkg a", "dpkg b", "dpkg c"]];
  expect(account([first, plan], [first, plan])[0]).toMatchObject({
    pushed: 0,
    unpacked: 0,
    kept: 1,
  });
});

test("a layer that is gone costs those above it", () => {
  const second = releaseOf("2026-01-02", a, c);
  const steps = account(
    [first, [["dpkg a"], ["dpkg b"], ["dpkg c"]]],
    [second, [["dpkg a"], ["dpkg c"]]],
  );
  expect(steps[0]).toMatchObject({ pushed: 0, unpacked: 10_000, layers: 2, kept: 2 });
});

describe("a plan is refused", () => {
  test.each([
    ["has 3 layers, which is more than 2", [["dpkg a"], ["dpkg b"], ["dpkg c"]]],
    ["has an empty layer", [["dpkg a", "dpkg b", "dpkg c"], []]],
    [
      "has dpkg a twice",
      [
        ["dpkg a", "dpkg b"],
        ["dpkg c", "dpkg a"],
      ],
    ],
    ["has dpkg d twice, or the release has it not", [["dpkg a", "dpkg b", "dpkg c", "dpkg d"]]],
    ["lacks dpkg c", [["dpkg a", "dpkg b"]]],
  ])("that %s", (what, plan) => {
    expect(() => checkPlan(first, plan, 2)).toThrow(
      `the plan of the release of 2026-01-01 ${what}`,
    );
  });

  test("of units that have one name", () => {
    const twice = releaseOf("2026-01-01", a, a);
    expect(() => checkPlan(twice, [["dpkg a"]], 2)).toThrow("two have one name");
  });
});
