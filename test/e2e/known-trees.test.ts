import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { afterWords } from "../support/engine.ts";
import type { Built, Project } from "../support/project.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";

// What xbuild has looked at in the context, "layer each" does not look at again.

const sandbox = useSandbox();

/** The helper, with a find that says which trees it searches: busybox's shell looks for no other program of that name. */
const each = `(${[
  'find() { case $* in *-prune*) ;; *) echo "searched: $*" >&2 ;; esac; command find "$@"; }',
  "set -- each --name '{/}' /context/pkgs/*/.",
  "XBUILD_LAYERS=/layers",
  ". /layers/bin/layer",
].join("; ")}) || exit; ${afterWords}`;

/** What is written while the engine begins is there when the step does; if not, it is waited for. */
const waiting = "for i in 0 1 2 3 4 5 6 7 8 9; do [ -e /layers/bin/trees ] || sleep 1; done";

function createProject(step: string, flags = ""): Promise<Project> {
  return sandbox.project({
    "Containerfile.x": `FROM ${baseImage}
OUTPUT /layers
RUN --mount=type=bind,target=/context${flags} ${step}
`,
    "pkgs/a/file": "a",
    "pkgs/b/file": "b",
    "pkgs/c/dir/file": "c",
  });
}

/** Each package once, as far as it was searched. */
function listSearched({ stdout, stderr }: Built): readonly string[] {
  const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line.includes("searched: "));
  const paths = lines.flatMap((line) => line.match(/(?<=pkgs\/)[a-z](?=\/\.)/g) ?? []);
  return [...new Set(paths)].sort();
}

/** Until no ctime of the context is younger than the coarsest clock. */
function settle(): Promise<void> {
  return sleep(2500);
}

test("only what has changed is searched", async () => {
  const project = await createProject(`${waiting}; ${each}`);
  await settle();
  expect(listSearched(await project.build(["--no-load"]))).toEqual(["a", "b", "c"]);
  await project.write({ "pkgs/b/file": "B" });
  const changed = await project.build(["--no-load"]);
  expect(changed.layers).toEqual(["a kept", "b new", "c kept"]);
  expect(listSearched(changed)).toEqual(["b"]);
  await settle();
  // What had changed a moment before had no mark yet, unless the machine was slow.
  const again = await project.build(["--no-load", "--no-cache"]);
  expect(again.layers).toEqual(["a kept", "b kept", "c kept"]);
  expect(["b", ""]).toContain(listSearched(again).join(" "));
  await project.write({ "pkgs/c/dir/more": "more" });
  await project.remove("pkgs/a/file");
  const others = await project.build(["--no-load"]);
  expect(others.layers).toEqual(["a new", "b kept", "c new"]);
  expect(listSearched(others)).toEqual(["a", "c"]);
});

test("where a step may write to the context, xbuild's word is not given", async () => {
  const write = `[ ! -e /layers/bin/trees ] && cat /proc/sys/kernel/random/uuid >/context/pkgs/b/file`;
  const project = await createProject(`${write} || exit 1; ${each}`, ",rw");
  await settle();
  expect((await project.build(["--no-load"])).layers).toEqual(["a new", "b new", "c new"]);
  await settle();
  const again = await project.build(["--no-load", "--no-cache"]);
  expect(again.layers).toEqual(["a kept", "b new", "c kept"]);
  expect(listSearched(again)).toEqual(["a", "b", "c"]);
});

test("a directory of which another mount shows a part alone is known by what all of it was", async () => {
  const project = await createProject(
    `${waiting}; ${each}`,
    " --mount=type=bind,from=part,source=dir,target=/part",
  );
  const args = ["--no-load", `--build-context=part=${project.context}/pkgs/c`];
  await settle();
  expect((await project.build(args)).layers).toEqual(["a new", "b new", "c new"]);
  await project.write({ "pkgs/c/file": "beside what the other mount shows" });
  await settle();
  expect((await project.build(args)).layers).toEqual(["a kept", "b kept", "c new"]);
});

test("what changes while steps run is not taken for what was looked at before", async () => {
  const project = await createProject(
    `${waiting}; echo be""gun; until [ -e /context/go ]; do sleep 0.1; done; ${each}`,
  );
  await project.write({ go: "" });
  await settle();
  expect((await project.build(["--no-load"])).layers).toEqual(["a new", "b new", "c new"]);
  await project.remove("go");
  const started = project.start(["--no-load"]);
  await started.says("begun");
  await project.write({ "pkgs/b/file": "meanwhile", go: "" });
  expect((await started.ended).stderr).toContain("inputs-changed");
  // Nobody knows what that build took: this one does.
  expect((await project.build(["--no-load"])).layers).toEqual(["a kept", "b new", "c kept"]);
});
