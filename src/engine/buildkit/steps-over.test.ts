import { expect, test } from "vitest";
import { createProgress, type SolveProgress } from "./progress.ts";

interface Heard {
  readonly progress: SolveProgress;
  /** How often it was told that the steps are over. */
  readonly count: () => number;
}

function listen(): Heard {
  let count = 0;
  const progress = createProgress({
    log: { stdout: () => undefined, stderr: () => undefined },
    told: new Set(),
    show: (name) => name,
    mark: "xbuild-end-1",
    onStepsOver: () => (count += 1),
  });
  return { progress, count: () => count };
}

function record(name: string, more: object): string {
  return JSON.stringify({ vertexes: [{ digest: `sha256:${name}`, name, ...more }] });
}

const started = { started: "2026-11-30T08:00:00Z" };
const floor =
  '[stage-0 3/3] RUN --network=none ["/bin/sh","-c","...","xbuild-end-1","/layers/output"]';
const output = "[xbuild-end-1 1/1] COPY --from=0 [/layers/output,/]";

test.each([floor, output])("steps are over when what stands behind them begins: %s", (name) => {
  const { progress, count } = listen();
  progress.line(record("[stage-0 2/3] RUN make", started));
  // All are told of before any begins.
  progress.line(record(name, {}));
  expect(count()).toBe(0);
  progress.line(record(name, started));
  expect(count()).toBe(1);
});

test("it is told once, and at the end at the latest", () => {
  const { progress, count } = listen();
  progress.line(
    record("[stage-0 2/3] RUN make", { ...started, completed: "2026-11-30T08:00:01Z" }),
  );
  expect(count()).toBe(0);
  progress.end();
  expect(count()).toBe(1);
  for (const name of [floor, output]) progress.line(record(name, started));
  progress.end();
  expect(count()).toBe(1);
});

test("one that failed, or came from the cache, has not begun", () => {
  const { progress, count } = listen();
  progress.line(record(floor, { ...started, completed: "2026-11-30T08:00:01Z", error: "no" }));
  progress.line(record(output, { ...started, cached: true }));
  expect(count()).toBe(0);
});
