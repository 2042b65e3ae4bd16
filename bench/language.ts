import { readContainerfile } from "../grammar/containerfile.ts";
import { parseContainerfile } from "../src/containerfile/parse.ts";
import { checkContainerfile } from "../src/containerfile/rules.ts";
import { resolveStages } from "../src/containerfile/stages.ts";

/** How the reading of a file grows with it: doubling a size should double a time. */
const shapes: Readonly<Record<string, (instructions: number) => string>> = {
  "one line each": (count) => `FROM alpine:3.20\n${repeat(count, (n) => `RUN echo ${n}`)}`,
  "continued lines": (count) =>
    `FROM alpine:3.20\n${repeat(count, (n) => `RUN echo ${n} \\\n  # remark\n  && make`)}`,
  "one instruction": (count) => `FROM alpine:3.20\nRUN : \\\n${repeat(count, () => "  && : \\")}\n`,
  heredocs: (count) => `FROM alpine:3.20\n${repeat(count, (n) => `RUN <<EOF\necho ${n}\nEOF`)}`,
  variables: (count) =>
    `FROM alpine:3.20\n${repeat(count, (n) => `ENV V${n}="a b" W${n}=\${V${n - 1}:-x}`)}`,
  stages: (count) =>
    repeat(count, (n) => (n === 0 ? "FROM alpine:3.20 AS s0" : `FROM s${n - 1} AS s${n}`)),
  bytes: (count) => `FROM alpine:3.20\nRUN <<EOF\n${repeat(count, () => "x".repeat(99))}\nEOF\n`,
};

const sizes = [1250, 2500, 5000, 10_000];
const rounds = 7;

function repeat(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => line(index)).join("\n");
}

function measure(task: () => void): number {
  const times = Array.from({ length: rounds }, () => {
    const start = performance.now();
    task();
    return performance.now() - start;
  }).toSorted((a, b) => a - b);
  return times[Math.floor(rounds / 2)] ?? 0;
}

function checkAll(bytes: Uint8Array): void {
  const containerfile = parseContainerfile(bytes, "Containerfile");
  const graph = resolveStages(containerfile, {
    buildArgs: new Map(),
    buildContexts: new Set(),
    targetPlatform: "linux/amd64",
    buildPlatform: "linux/amd64",
  });
  checkContainerfile(containerfile, graph);
}

/** Milliseconds for each size, and how the last step compares with the doubling of the size. */
function renderRow(name: string, what: string, times: readonly number[]): string {
  const growth = (times.at(-1) ?? 0) / (times.at(-2) ?? 1);
  const cells = times.map((time) => time.toFixed(1));
  return `| ${[name, what, ...cells, growth.toFixed(2)].join(" | ")} |`;
}

console.log(
  `Milliseconds, median of ${rounds}; growth is the last column's time by that before it.\n`,
);
console.log(`| shape | | ${sizes.join(" | ")} | growth |`);
console.log(`|---|---|${sizes.map(() => "---|").join("")}---|`);
for (const [name, create] of Object.entries(shapes)) {
  const texts = sizes.map((size) => create(size));
  const sources = texts.map((text) => Buffer.from(text));
  const split = texts.map((text) => measure(() => void readContainerfile(text)));
  const whole = sources.map((bytes) => measure(() => checkAll(bytes)));
  const size = `${((texts.at(-1)?.length ?? 0) / 1e6).toFixed(2)} MB`;
  console.log(renderRow(`${name}, ${size}`, "split", split));
  console.log(renderRow("", "parse, resolve, check", whole));
}
