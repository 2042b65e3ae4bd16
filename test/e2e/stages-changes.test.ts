import { writeFile, mkdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Built, Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { addingStage, listRun, listRunSorted } from "../support/stages.ts";

// Which stages a change builds: its own, and where its image is another one those that use it.

const sandbox = useSandbox();
const otherBase = "localhost/other-base";

const containerfile = `FROM ${baseImage} AS env
RUN echo env > /env
${addingStage("a", "env", "ARG A=1\n")}RUN echo $A > /o/arg && /layers/bin/layer add arg -C /o arg && echo "$A" >> /layers/output/state.new
RUN mkdir /layers/output/state && mv /layers/output/state.new /layers/output/state/a && cat /layers/input/state/* > /o/state 2>/dev/null; echo "state of a: $(cat /o/state)"
${addingStage("b", otherBase)}RUN ls /layers/input/state/ && cat /layers/names
${addingStage("unused", "env")}RUN false
${addingStage("c", "env").replace("OUTPUT", "OUTPUT --from=a")}
FROM env AS d
COPY --from=b /b /from-b
${addingStage("t", "env").replace("OUTPUT", "OUTPUT --from=c --from=d")}`;

const files = { "Containerfile.x": containerfile, a: "a\n", b: "b\n", c: "c\n", t: "t\n" };

let project: Project;
let first: Built;

beforeAll(async () => {
  project = await sandbox.project(files);
  await replaceBase("one");
  first = await build();
});

function build(args: readonly string[] = []): Promise<Built> {
  return project.build(["--no-load", "--explain", ...args]);
}

async function replaceBase(content: string): Promise<void> {
  const context = join(sandbox.directory, "other-base");
  await mkdir(context, { recursive: true });
  const text = `FROM ${baseImage}\nRUN echo ${content} > /other\n`;
  await writeFile(join(context, "Containerfile"), text);
  await sandbox.exec("buildah", "build", "--quiet", "--layers", "-t", otherBase, context);
}

/** Layer names that were made anew, or listed again, by stage; and what is said of the reasons. */
function reasonsOf({ stdout, stderr }: Built): readonly string[] {
  return [...`${stdout}\n${stderr}`.matchAll(/^built because: (.*)$/gm)].map(
    ([, text]) => text ?? "",
  );
}

test("only what the target needs is built, each stage once, and an order in which they stand", () => {
  expect(listRunSorted(first)).toEqual(["a", "b", "c", "d", "t"]);
  const order = listRun(first);
  expect(order.indexOf("a")).toBeLessThan(order.indexOf("c"));
  expect(order.indexOf("b")).toBeLessThan(order.indexOf("d"));
  expect(order.at(-1)).toBe("t");
  const own = first.layers.filter((one) => !one.includes("/bin/sh"));
  expect(own).toEqual(["a base", "arg base", "c base", "t new"]);
});

test("nothing changed: nothing is built, and the image is the same", async () => {
  const again = await build();
  expect(again.builds).toEqual([]);
  expect(again.calls.filter((one) => !isQuery(one))).toEqual([]);
  expect(again.metadata).toMatchObject({ digest: first.metadata.digest, upToDate: true });
});

/** What asks the engine for something, and changes nothing. */
function isQuery(call: string): boolean {
  return /^\w+ (?:--\S+ )*(?:inspect|images?|info|version|--version)\b/.test(call);
}

interface Change {
  readonly name: string;
  readonly apply?: () => Promise<void>;
  readonly undo?: () => Promise<void>;
  readonly args?: readonly string[];
  readonly run: readonly string[];
  readonly reasons: readonly string[];
}

const edit = (from: string, to: string) => (): Promise<void> =>
  project.write({ "Containerfile.x": containerfile.replace(from, to) });

const changes: readonly Change[] = [
  {
    name: "a context file of a",
    apply: () => project.write({ a: "other a\n" }),
    run: ["a", "c", "t"],
    reasons: ["the stage c changed", "c: the stage a changed", "a: context: a (content)"],
  },
  {
    name: "an ARG that a alone declares",
    args: ["--build-arg=A=2"],
    run: ["a", "c", "t"],
    reasons: ["the stage c changed", "c: the stage a changed", "a: the build argument A is new"],
  },
  {
    name: "the text of b",
    apply: edit("head -n1 /in > /o/b", "echo text > /o/b"),
    run: ["b", "d", "t"],
    reasons: [
      "the stage d changed",
      "d: the stage b changed",
      "b: the text of the file changed, first at: RUN mkdir /o && echo text > /o/b && /layers/bin/layer add b -C /o b",
    ],
  },
  {
    name: "the text of the target",
    apply: edit("head -n1 /in > /o/t", "echo text > /o/t"),
    run: ["t"],
    reasons: [
      "the text of the file changed, first at: RUN mkdir /o && echo text > /o/t && /layers/bin/layer add t -C /o t",
    ],
  },
  {
    name: "a stage that the target does not use",
    apply: edit("RUN false", "RUN never"),
    run: [],
    reasons: [],
  },
];

describe("a change builds what it changes", () => {
  test.each(changes)("$name", async ({ apply, args, run, reasons }) => {
    await apply?.();
    const built = await build(args);
    await project.write(files);
    expect(listRunSorted(built)).toEqual(run);
    expect([...reasonsOf(built)].sort()).toEqual([...reasons].sort());
    expect(built.metadata.digest === first.metadata.digest).toBe(run.length === 0);
    // What stands under the names of the others is what it was.
    expect(await build()).toMatchObject({
      builds: [],
      metadata: { digest: first.metadata.digest },
    });
  });

  test("early cut-off: where a stage came out equal nothing that uses it is built", async () => {
    await project.write({ b: "b\nmore that no layer has\n", a: "a\nmore\n" });
    const built = await build();
    expect(listRunSorted(built)).toEqual(["a", "b"]);
    expect(built.metadata).toMatchObject({ digest: first.metadata.digest, upToDate: true });
    expect(await build()).toMatchObject({ builds: [] });
    await project.write(files);
  });

  test("the base of one stage", async () => {
    await replaceBase("two");
    const built = await build();
    // b reads nothing of its base: its image is what it was.
    expect(listRunSorted(built)).toEqual(["b"]);
    expect(built.metadata.digest).toBe(first.metadata.digest);
  });
});

test("each stage has its own previous image and state", async () => {
  await project.write({ a: "state\n", b: "state\n" });
  const built = await build(["--build-arg=A=3"]);
  expect(built.stdout).toMatch(/^\[a\] state of a: \d$/m);
  const names = [...built.stdout.matchAll(/^\[b\] sha256:\S+\tsha256:\S+\t1\t(.*)$/gm)];
  // Its own last layer stands among them, and of a's image none.
  expect(names.map(([, name]) => name)[0]).toBe("b");
  await project.write(files);
});

describe("--no-cache", () => {
  test.each(["--jobs=1", "--jobs=4"])(
    "%s runs each step once, and comes to equal layers",
    async (jobs) => {
      await build();
      const built = await build(["--no-cache", jobs]);
      expect(listRunSorted(built).filter((name) => name !== "env")).toEqual([
        "a",
        "b",
        "c",
        "d",
        "t",
      ]);
      const steps = built.stdout.match(/^\[.*RUN echo env > \/env$/gm) ?? [];
      const cached = built.stdout.match(/RUN echo env > \/env\n.*Using cache/gm) ?? [];
      expect(steps.length - cached.length).toBe(1);
      expect(built.metadata.digest).toBe(first.metadata.digest);
    },
  );
});
