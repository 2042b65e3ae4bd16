import { describe, expect, test } from "vitest";
import { readFileSync } from "node:fs";
import {
  arrangements,
  computeLoad,
  type Measured,
  type MeasuredBuild,
} from "../../scripts/scale-model.ts";
import { replaceScale } from "../../scripts/scale-page.ts";

// docs/scale.md is computed of what was measured: here of figures that a reader can add up.

/** Each way moves as many bytes as it says, in the order of the ways. */
function build(
  part: Pick<MeasuredBuild, "change" | "client" | "builder">,
  [seconds, ...moved]: readonly number[],
): MeasuredBuild {
  const [up = 0, back = 0, push = 0, read = 0, write = 0, pull = 0] = moved;
  const bytes = {
    "client>builder": up,
    "builder>client": back,
    "client>registry": push,
    "registry>client": read,
    "builder>registry": write,
    "registry>builder": pull,
  };
  return {
    tool: "xbuild",
    ...part,
    seconds: seconds ?? 0,
    bytes,
    requests: { client: 30, builder: 6 },
  };
}

const kept = { client: "kept", builder: "kept" } as const;
const measured: Measured = {
  at: "2026-11-30",
  programs: [],
  image: { layers: 1, bytes: 1 },
  builds: [
    build({ change: "all", client: "new", builder: "new" }, [100, 1000, 2000, 300, 40, 5, 60]),
    build({ change: "none", ...kept }, [3, 0, 0, 10, 20, 0, 0]),
    build({ change: "one", ...kept }, [20, 100, 200, 30, 4, 0, 0]),
  ],
};

const [keeping, newClients] = arrangements;
if (keeping === undefined || newClients === undefined) throw new Error("there are arrangements");

describe("an hour of 100 builds: 30 with nothing to do, 65 of one layer, 5 of all", () => {
  const load = computeLoad(measured, keeping, 100);

  test("bytes are those of all of them", () => {
    expect(load.between).toBe(65 * 300 + 5 * 3000);
    expect(load.toRegistry).toBe(30 * 10 + 65 * 30 + 5 * 305);
    expect(load.fromRegistry).toBe(30 * 20 + 65 * 4 + 5 * 100);
  });

  test("so are requests, in a second", () => {
    expect(load.requestsPerSecond).toBeCloseTo((100 * 36) / 3600);
  });

  test("builders are at work half of the time, and where they are asked for something", () => {
    expect(load.builders).toBe(Math.ceil((65 * 20 + 5 * 100) / 3600 / 0.5));
    expect(computeLoad(measured, keeping, 1000).builders).toBe(10);
  });
});

test("what was not measured is not made up", () => {
  expect(() => computeLoad(measured, newClients, 10)).toThrow('a build of "none" was not measured');
});

test("the page's tables are made of the figures that stand beside it", () => {
  const [page, json] = ["docs/scale.md", "docs/scale.json"].map((name) =>
    readFileSync(name, "utf8"),
  );
  expect(replaceScale(page ?? "", json ?? "")).toBe(page);
  const more = (json ?? "").replaceAll(/"seconds": [\d.]+/g, '"seconds": 7200');
  expect(replaceScale(page ?? "", more)).toContain("| 7200.0 s |");
  expect(() => replaceScale("# Many machines\n", json ?? "")).toThrow("has lost its mark");
});
