import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Built, Project } from "../support/project.ts";
import { afterWords } from "../support/engine.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { addingStage, listReasons, listRun, listRunSorted } from "../support/stages.ts";

// Which stages a change builds: its own, and where its image is another one those that use it.

const sandbox = useSandbox();
const otherBase = "localhost/other-base";

const containerfile = `FROM ${baseImage} AS env
RUN echo env > /env && echo env has r''un; ${afterWords}
${addingStage("a", "env", "ARG A=1\n")}RUN echo $A > /o/arg && /layers/bin/layer add arg -C /o arg
RUN mkdir /layers/output/state && echo "$A" > /layers/output/state/a; echo "state of a: $(cat /layers/input/state/*)"; ${afterWords}
${addingStage("b", otherBase)}RUN ls /layers/input/state; cut -f4 /layers/names; ${afterWords}
${addingStage("unused", "env")}RUN false
FROM env AS c
COPY --from=b /b /from-b
${addingStage("t", "env").replace("OUTPUT", "OUTPUT --from=a --from=c")}`;

const files = { "Containerfile.x": containerfile, a: "a\n", b: "b\n", t: "t\n" };

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

test("only what the target needs is built, each stage once, before those that use it", () => {
  expect(listRunSorted(first)).toEqual(["a", "b", "c", "t"]);
  const order = listRun(first);
  expect(order.indexOf("b")).toBeLessThan(order.indexOf("c"));
  expect(order.at(-1)).toBe("t");
  const own = first.layers.filter((one) => !one.includes("/bin/sh"));
  expect(own).toEqual(["a new", "arg new", "t new"]);
});

test("nothing changed: the engine is asked, and does nothing", async () => {
  const again = await build();
  expect(again.calls.filter((one) => !isQuery(one))).toEqual([]);
  expect(again.metadata).toMatchObject({ digest: first.metadata.digest, upToDate: true });
});

/** What asks the engine for something, and changes nothing. */
function isQuery(call: string): boolean {
  return /^\w+ (?:--\S+ )*(?:inspect|images?|info|version|--version|build --help)\b/.test(call);
}

interface Change {
  readonly name: string;
  readonly apply?: () => Promise<void>;
  readonly args?: readonly string[];
  readonly run: readonly string[];
  readonly reasons: readonly string[];
}

const edit = (from: string, to: string) => (): Promise<void> =>
  project.write({ "Containerfile.x": containerfile.replace(from, to) });

const changes: readonly Change[] = [
  {
    name: "an ARG that a alone declares",
    args: ["--build-arg=A=2"],
    run: ["a", "t"],
    reasons: ["a: the build argument A is new", "the stage a changed"],
  },
  {
    name: "the text of b, and its file",
    apply: async () => {
      await edit("head -n1 /in > /o/b", "cat /in /in > /o/b")();
      await project.write({ b: "other\n" });
    },
    run: ["b", "c", "t"],
    reasons: [
      "b: context: b (content)",
      "b: the text of the file changed, first at: RUN mkdir /o && cat /in /in > /o/b && /layers/bin/layer add b -C /o b",
      "c: the stage b changed",
      "the stage c changed",
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
    expect(listReasons(built)).toEqual(reasons);
    expect(built.metadata.digest === first.metadata.digest).toBe(run.length === 0);
    // The results of before are still known.
    const back = await build();
    expect(back).toMatchObject({ builds: [], metadata: { digest: first.metadata.digest } });
  });

  test("where stages came out equal nothing that uses them is built", async () => {
    // Neither is in a layer.
    await project.write({ b: "b\nmore\n" });
    await replaceBase("two");
    // The last build of a was another one: what is found counts as its last one, too.
    await edit("state/a;", "state/a && true;")();
    const built = await build();
    expect(listRunSorted(built)).toEqual(["a", "b"]);
    expect(listReasons(built)).toEqual([
      'a: the text of the file changed, first at: RUN mkdir /layers/output/state && echo "$A" > /layers/output/state/a && true; echo "state of a: $(cat /layers/input/state/*)"; ' +
        afterWords,
      "b: context: b (content)",
      `b: the image ${otherBase} changed`,
      "c: the stage b changed",
      "the stage a changed",
      "the stage c changed",
    ]);
    expect(built.metadata).toMatchObject({ digest: first.metadata.digest, upToDate: true });
    // Each has a state and a previous image of its own.
    expect(built.stdout).toMatch(/^\[a\] state of a: 2$/m);
    expect(built.stdout).toMatch(/^\[b\] b$/m);
    expect((await build()).builds).toEqual([]);
  });
});

describe("--no-cache", () => {
  test.each(["--jobs=1", "--jobs=4"])(
    "%s runs each step once, and comes to the same image",
    async (jobs) => {
      const built = await build(["--no-cache", jobs]);
      expect(built.stdout.match(/^\[\w+\] env has run$/gm)).toHaveLength(1);
      const run = listRunSorted(built).filter((name) => name !== "env");
      expect(run).toEqual(["a", "b", "c", "t"]);
      expect(built.metadata.digest).toBe(first.metadata.digest);
    },
  );
});
