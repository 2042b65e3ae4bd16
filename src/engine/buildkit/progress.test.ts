import { expect, it } from "vitest";
import { createProgress, type ShownProgress, type SolveProgress } from "./progress.ts";

interface Told extends SolveProgress {
  /** What was printed, of either kind, in the order in which it came. */
  readonly printed: readonly string[];
  readonly nows: readonly string[];
}

function create(given: Partial<ShownProgress> = {}): Told {
  const printed: string[] = [];
  const nows: string[] = [];
  const progress = createProgress({
    log: {
      stdout: (bytes) => printed.push(`1 ${Buffer.from(bytes).toString("latin1")}`),
      stderr: (bytes) => printed.push(`2 ${Buffer.from(bytes).toString("latin1")}`),
    },
    progress: ({ now }) => nows.push(now ?? ""),
    told: new Set(),
    show: (name) => name,
    ...given,
  });
  return { ...progress, printed, nows };
}

const time = "2026-11-30T08:46:47.332431128Z";

interface Vertex {
  readonly digest?: string;
  readonly name: string;
  readonly state?: "waiting" | "started" | "completed" | "cached";
  readonly error?: string;
}

function vertex({ digest = "sha256:1", name, state = "started", error }: Vertex): object {
  return {
    digest,
    name,
    ...(state === "waiting" ? {} : { started: time }),
    ...(state === "completed" || state === "cached" ? { completed: time } : {}),
    ...(state === "cached" ? { cached: true } : {}),
    ...(error === undefined ? {} : { error }),
  };
}

const recordOf = (...vertexes: readonly Vertex[]): string =>
  JSON.stringify({ vertexes: vertexes.map(vertex) });

function logOf(text: string | Buffer, stream = 1, digest = "sha256:1"): string {
  const data = Buffer.from(text).toString("base64");
  return JSON.stringify({ logs: [{ vertex: digest, stream, data, timestamp: time }] });
}

// Of buildctl 0.34.2 with a failing step, but for inputs and most statuses; digests are cut.
const captured = `{"vertexes":[{"digest":"sha256:972de5","name":"[internal] load build definition from Dockerfile"},{"digest":"sha256:972de5","name":"[internal] load build definition from Dockerfile","started":"2026-11-30T08:46:47.332431128Z","completed":"2026-11-30T08:46:47.332496115Z"},{"digest":"sha256:972de5","name":"[internal] load build definition from Dockerfile","started":"2026-11-30T08:46:47.332592188Z"}]}
{"statuses":[{"id":"transferring dockerfile:","vertex":"sha256:972de5","name":"transferring","current":306,"timestamp":"2026-11-30T08:46:47.522141164Z","started":"2026-11-30T08:46:47.499745194Z","completed":"2026-11-30T08:46:47.522140904Z"}]}
{"vertexes":[{"digest":"sha256:972de5","name":"[internal] load build definition from Dockerfile","started":"2026-11-30T08:46:47.332592188Z","completed":"2026-11-30T08:46:47.567078413Z"}]}
{"vertexes":[{"digest":"sha256:ccf531","inputs":["sha256:79adc4"],"name":"[stage-1 2/2] RUN exit 7"},{"digest":"sha256:79adc4","inputs":["sha256:952678"],"name":"[stage-1 1/2] RUN echo err \\u003e\\u00262"},{"digest":"sha256:952678","name":"[base 1/1] COPY busybox /bin/busybox"}]}
{"vertexes":[{"digest":"sha256:952678","name":"[base 1/1] COPY busybox /bin/busybox","started":"2026-11-30T08:46:47.683203321Z","completed":"2026-11-30T08:46:47.728121982Z","cached":true}]}
{"vertexes":[{"digest":"sha256:79adc4","inputs":["sha256:952678"],"name":"[stage-1 1/2] RUN echo err \\u003e\\u00262","started":"2026-11-30T08:46:48.045737006Z"}]}
{"logs":[{"vertex":"sha256:79adc4","stream":2,"data":"ZXJyCg==","timestamp":"2026-11-30T08:46:48.249628986Z"}]}
{"logs":[{"vertex":"sha256:79adc4","stream":1,"data":"bm8gZW5k","timestamp":"2026-11-30T08:46:48.2499598Z"}]}
{"vertexes":[{"digest":"sha256:79adc4","inputs":["sha256:952678"],"name":"[stage-1 1/2] RUN echo err \\u003e\\u00262","started":"2026-11-30T08:46:48.045737006Z","completed":"2026-11-30T08:46:48.278203046Z"}]}
{"vertexes":[{"digest":"sha256:ccf531","inputs":["sha256:79adc4"],"name":"[stage-1 2/2] RUN exit 7","started":"2026-11-30T08:46:48.28116763Z"}]}
{"vertexes":[{"digest":"sha256:ccf531","inputs":["sha256:79adc4"],"name":"[stage-1 2/2] RUN exit 7","started":"2026-11-30T08:46:48.28116763Z","completed":"2026-11-30T08:46:48.436340889Z","error":"process \\"/bin/sh -c exit 7\\" did not complete successfully: exit code: 7"}]}
Dockerfile:7
--------------------
   7 | >>> RUN exit 7
--------------------
error: failed to solve: process "/bin/sh -c exit 7" did not complete successfully: exit code: 7`;

it("tells the steps when they begin, and what they print byte for byte", () => {
  const told = create();
  for (const line of captured.split("\n")) told.line(line);
  expect(told.printed).toEqual([
    "1 CACHED [base 1/1] COPY busybox /bin/busybox\n",
    "1 [stage-1 1/2] RUN echo err >&2\n",
    "2 err\n",
    "1 no end",
    "1 [stage-1 2/2] RUN exit 7\n",
  ]);
  expect(told.nows).toHaveLength(3);
  expect(told.failed()).toMatch(/^process .* exit code: 7$/);
  expect(told.tail().split("\n")).toHaveLength(5);
  expect(told.countBusy()).toBe(0);
});

/** Steps, an image, and what is the builder's own. */
const statesOf = (state: "started" | "completed"): string =>
  recordOf(
    { digest: "sha256:1", name: "[1/2] RUN sleep 1d", state },
    { digest: "sha256:2", name: "[internal] load build context", state },
    { digest: "sha256:3", name: "exporting to client tarball", state },
    { digest: "sha256:4", name: "sending tarball", state },
    { digest: "sha256:5", name: "[context base] load metadata for base", state },
    { digest: "sha256:6", name: "[s 1/1] FROM docker.io/library/a@sha256:0", state },
  );

it("counts what may last: no affair of the builder's own", () => {
  const told = create();
  told.line(statesOf("started"));
  expect(told.countBusy()).toBe(2);
  told.line(statesOf("started"));
  expect(told.countBusy()).toBe(2);
  told.line(statesOf("completed"));
  expect(told.countBusy()).toBe(0);
  expect(told.printed).toEqual([
    "1 [1/2] RUN sleep 1d\n",
    "1 [s 1/1] FROM docker.io/library/a@sha256:0\n",
  ]);
});

const showStep = (name: string): string | undefined =>
  name.includes("ours") ? undefined : name.replace(" --mount=x", "");

it("tells a step once, whichever call has it, and shows it as it is told to", () => {
  const seen = new Set<string>();
  const first = create({ told: seen, show: showStep });
  first.line(recordOf({ digest: "sha256:a", name: "[1/2] RUN --mount=x a" }));
  const second = create({ told: seen, show: showStep });
  second.line(
    recordOf(
      { digest: "sha256:a", name: "[1/2] RUN --mount=x a", state: "cached" },
      { digest: "sha256:b", name: "[2/2] RUN ours" },
    ),
  );
  expect(first.printed).toEqual(["1 [1/2] RUN a\n"]);
  expect(second.printed).toEqual([]);
  // What such a step prints is somebody's.
  second.line(logOf("x", 1, "sha256:b"));
  expect(second.printed).toEqual(["1 x"]);
});

it("takes nothing that a step prints for a record", () => {
  const told = create();
  told.line(recordOf({ name: "[1/1] RUN evil" }));
  const evil = `${recordOf({ digest: "sha256:9", name: "[1/1] RUN other", error: "exit code: 9" })}\nerror: failed to solve: x\n`;
  told.line(logOf(evil));
  expect(told.printed).toEqual(["1 [1/1] RUN evil\n", `1 ${evil}`]);
  expect(told.failed()).toBeUndefined();
  expect(told.tail()).toBe("");
  expect(told.countBusy()).toBe(1);
});

it("keeps bytes that are no UTF-8, and letters that come in two pieces", () => {
  const told = create();
  told.line(recordOf({ name: "[1/1] RUN x" }));
  const bytes = Buffer.from("é\xff", "latin1");
  told.line(logOf(bytes.subarray(0, 1)));
  told.line(logOf(bytes.subarray(1)));
  expect(told.printed.slice(1)).toEqual(["1 é", "1 \xff"]);
});

it("remembers the first failure, and none that is somebody else's interruption", () => {
  const told = create();
  told.line(recordOf({ digest: "sha256:1", name: "a", state: "completed", error: "" }));
  told.line(recordOf({ digest: "sha256:2", name: "b", error: "process x: context canceled" }));
  expect(told.failed()).toBeUndefined();
  told.line(recordOf({ digest: "sha256:3", name: "c", error: "first" }));
  told.line(recordOf({ digest: "sha256:4", name: "d", error: "second" }));
  expect(told.failed()).toBe("first");
});

it.each([
  "",
  "{",
  '{"vertexes":[{"digest":"sha256:1","name":"[1/1] RUN c',
  "plain words",
  "[]",
  "{}}",
])("%j is no record, but among the last words", (line) => {
  const told = create();
  told.line(line);
  expect(told).toMatchObject({ printed: [], nows: [] });
  expect(told.tail()).toBe(line);
});

it.each([
  "{}",
  '{"vertexes":null,"logs":{}}',
  '{"vertexes":[null,1,"x",[],{}],"logs":[null,1,{}]}',
  '{"vertexes":[{"digest":1,"name":"x"},{"digest":"x","name":null}]}',
  '{"logs":[{"vertex":"sha256:1","stream":1,"data":7}]}',
  '{"__proto__":{"vertexes":[]},"constructor":1}',
])("%s says nothing", (line) => {
  const told = create();
  told.line(line);
  expect(told).toMatchObject({ printed: [], nows: [] });
  expect([told.failed(), told.tail(), told.countBusy()]).toEqual([undefined, "", 0]);
});

it("keeps so many of the last words, and no more of a line than anybody reads", () => {
  const told = create();
  for (let at = 0; at < 1000; at += 1) told.line(`line ${at}`);
  told.line("x".repeat(10_000_000));
  const lines = told.tail().split("\n");
  expect([lines.length, lines[0], lines[199]?.length]).toEqual([200, "line 801", 10_000]);
});

it("hands on a huge line of a step", () => {
  const told = create();
  told.line(recordOf({ name: "[1/1] RUN x" }));
  told.line(logOf(Buffer.alloc(16 * 1024 * 1024, "x")));
  expect(told.printed[1]).toHaveLength(16 * 1024 * 1024 + 2);
});
