import { expect, test } from "vitest";
import { captureIo } from "../../../test/support/capture-io.ts";
import { createPrevious, digestOf } from "../../../test/support/layers/fixtures.ts";
import type { ImagePlan, PlanRow } from "../../pipeline/pipeline.ts";
import { renderPlan } from "./plan-table.ts";

const digest = digestOf(Buffer.from("layer"));
const { image } = createPrevious([{ name: "a-1", digest, diffId: digest }]);

function render(rows: readonly Omit<PlanRow, "digest">[], columns?: number): readonly string[] {
  const file = { history: [], layers: [] };
  const plan: ImagePlan = {
    image,
    rows: rows.map((row) => ({ ...row, digest })),
    source: "history",
    file,
  };
  const { io } = captureIo(columns === undefined ? {} : { columns: () => columns });
  return renderPlan(plan, io).visible.split("\n");
}

const known = { size: 2_000_000, changesPerMonth: 0.5, bytesPerMonth: 1_000_000 };
const unknown = { size: 10, changesPerMonth: undefined, bytesPerMonth: undefined };

test("a line for each layer, from the lowest, and what they come to", () => {
  expect(
    render([
      { ...known, packages: ["libc6-2.36-9", "bash-5.2-1"] },
      { ...unknown, packages: ["other"] },
    ]),
  ).toEqual([
    "LAYER     SIZE  CHANGES A MONTH  BYTES A MONTH  PACKAGES  NAMES",
    "    1  2.00 MB             0.50        1.00 MB         2  libc6-2.36-9 bash-5.2-1",
    "    2     10 B                -              -         1  other",
    "total  2.00 MB             0.50        1.00 MB         3",
    "as its history tells",
    "",
  ]);
});

test("names are cut to the width, and nothing in them acts on a terminal", () => {
  const packages = ["a\u001b[31m\n-1", ...Array.from({ length: 50 }, (_, at) => `package${at}-1`)];
  const lines = render([{ ...known, packages }], 100);
  expect(lines).toHaveLength(5);
  expect(lines[1]).toContain(String.raw`a\x1b[31m\x0a-1 package0-1`);
  expect(Math.max(...lines.map((one) => one.length))).toBeLessThanOrEqual(100);
  expect(lines[1]?.endsWith("…")).toBe(true);
});
