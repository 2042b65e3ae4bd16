import { expect, test } from "vitest";
import { countColumns } from "../../visible.ts";
import { renderLive } from "./step-texts.ts";
import { type OpenStep, trackSteps } from "./steps.ts";

function record(): { readonly told: string[]; readonly steps: ReturnType<typeof trackSteps> } {
  const told: string[] = [];
  const steps = trackSteps({
    begin: ({ title }) => told.push(`begin ${title}`),
    progress: ({ title, progress }) => told.push(`${title}: ${JSON.stringify(progress)}`),
    end: ({ title }, { result, isFailed }) => told.push(`end ${title} ${result} ${isFailed}`),
  });
  return { told, steps };
}

test("what is told of a step adds up, until it ends, once", () => {
  const { told, steps } = record();
  const step = steps.step("a");
  step.progress({ bytes: 1, total: 2 });
  step.progress({ now: "x" });
  step("done");
  step.progress({ bytes: 2 });
  step("again");
  step.fail();
  expect(told).toEqual([
    "begin a",
    'a: {"bytes":1,"total":2}',
    'a: {"bytes":1,"total":2,"now":"x"}',
    "end a done false",
  ]);
});

test("whatever nobody has ended has failed in the end", () => {
  const { told, steps } = record();
  steps.step("a")();
  steps.step("b");
  steps.step("c").fail();
  steps.failOpen();
  expect(told.slice(2)).toEqual([
    "begin b",
    "begin c",
    "end c undefined true",
    "end b undefined true",
  ]);
});

const step: OpenStep = {
  id: 1,
  title: "Pushing to registry.example/一二三四五六七八九十",
  isBrief: false,
  started: 0,
  progress: { bytes: 12_000_000, total: 40_000_000, now: "一二三四五六七八九十\u001b[2J" },
  own: () => 0,
};

test.each([1, 10, 40, 80, 120])(
  "a line is cut to %i columns, whatever letters it has",
  (columns) => {
    const { visible } = renderLive(step, columns, {});
    expect(visible).not.toContain("\u001b");
    // A terminal that is narrower than the figures has no room for anything.
    expect(countColumns(visible)).toBeLessThan(Math.max(columns, 40));
    expect(visible).toContain("12.0 MB of 40.0 MB");
  },
);
