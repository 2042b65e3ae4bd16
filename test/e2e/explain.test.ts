import { join } from "node:path";
import { writeFile } from "node:fs/promises";
import { beforeAll, expect, test } from "vitest";
import type { Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// Why a target is built again, in the order of the rows: each changes one thing more.

const sandbox = useSandbox();
const other = "localhost/explained-base";
const text = (step: string): string => `FROM ${other}
ARG USED=1
COPY . /src/
OUTPUT /layers
RUN /layers/bin/layer add src -C / src
${step}
`;

let project: Project;

beforeAll(async () => {
  project = await sandbox.project({
    "Containerfile.x": text("USER 1"),
    file: "one\n",
    gone: "x\n",
  });
  await project.write({ ".containerignore": "Containerfile.x\n" });
  await tagBase("one");
});

async function tagBase(content: string): Promise<void> {
  const file = join(sandbox.directory, "Containerfile.base");
  await writeFile(file, `FROM ${baseImage}\nRUN echo ${content} > /etc/base\n`);
  await sandbox.exec("buildah", "build", "-q", "-t", other, "-f", file, sandbox.directory);
}

async function explain(...words: readonly string[]): Promise<readonly string[]> {
  const { stderr } = await project.build(["--no-load", "--explain", ...words]);
  return stderr.split("\n").filter((line) => line.startsWith("built because: "));
}

test.each<readonly [string, () => unknown, readonly string[], readonly string[]]>([
  ["the first time", () => undefined, [], ["it was not built here before"]],
  ["nothing", () => undefined, [], []],
  ["a file's content", () => project.write({ file: "two\n" }), [], ["context: file (content)"]],
  [
    "a new file",
    () => project.write({ "sub/new": "x\n" }),
    [],
    ["context: sub (added)", "context: sub/new (added)"],
  ],
  ["a file that is gone", () => project.remove("gone"), [], ["context: gone (removed)"]],
  ["an argument", () => undefined, ["--build-arg=USED=2"], ["the build argument USED is new"]],
  ["its value", () => undefined, ["--build-arg=USED=3"], ["the build argument USED changed"]],
  [
    "no argument",
    () => undefined,
    ["--label=a=b"],
    ["the build argument USED is no longer there", "the label a is new"],
  ],
  ["the base", () => tagBase("two"), ["--label=a=b"], [`the image ${other} changed`]],
  [
    "the text",
    () => project.write({ "Containerfile.x": text("USER 2") }),
    ["--label=a=b"],
    ["the text of the file changed, first at: USER 2"],
  ],
  [
    "a flag",
    () => undefined,
    ["--label=a=b", "--network=host"],
    ["a flag that reaches the steps changed"],
  ],
  [
    "the epoch",
    () => undefined,
    ["--label=a=b", "--network=host", "--timestamp=5"],
    ["the epoch changed", "--timestamp was given, or left out"],
  ],
  ["--no-cache", () => undefined, ["--no-cache"], ["--no-cache was given"]],
])("%s", async (_, change, words, reasons) => {
  await change();
  expect(await explain(...words)).toEqual(reasons.map((reason) => `built because: ${reason}`));
});
