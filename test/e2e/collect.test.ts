import { cp, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { beforeAll, describe, expect, test } from "vitest";
import { checkImage } from "../support/check-image.ts";
import type { Metadata, Project } from "../support/project.ts";
import { configureAccess, useRegistry } from "../support/registry-access.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { validateLayout } from "../support/validate-layout.ts";
import { assertStatus, type Outcome, runXbuild } from "../support/xbuild.ts";

// Images of what a program wrote, without an engine.

const sandbox = useSandbox();
const registry = useRegistry();

beforeAll(() => configureAccess(sandbox.directory, registry.proxy));

interface Collected extends Outcome {
  readonly metadata: Metadata;
  readonly layers: readonly string[];
}

type Run = Project["run"];

/** `xbuild collect`, which must succeed and ask no engine. */
async function collect(
  { run }: { readonly run: Run },
  args: readonly string[],
): Promise<Collected> {
  const file = join(await mkdtemp(join(sandbox.directory, "told-")), "metadata.json");
  const outcome = await run(["collect", `--metadata-file=${file}`, ...args]);
  assertStatus(outcome, 0);
  expect(outcome.calls).toEqual([]);
  const metadata: Metadata = JSON.parse(await readFile(file, "utf8"));
  return {
    ...outcome,
    metadata,
    layers: metadata.layers.map((one) => `${one.name} ${one.status}`),
  };
}

async function newDirectory(): Promise<string> {
  return mkdtemp(join(sandbox.directory, "emitted-"));
}

/** Writes files below a new directory. */
async function write(files: Readonly<Record<string, string>>): Promise<string> {
  const directory = await newDirectory();
  for (const [name, text] of Object.entries(files)) {
    await mkdir(join(directory, name, ".."), { recursive: true });
    await writeFile(join(directory, name), text);
  }
  return directory;
}

function listDigests({ layers }: Metadata): readonly string[] {
  return layers.map(({ digest }) => digest);
}

/** All that can be seen of a tree, but for the times of reading. */
async function describeTree(directory: string): Promise<string> {
  return sandbox.exec("find", directory, "-printf", "%P %i %m %U %s %T@\n");
}

test("an image as a build makes it; the directory stays as it is; a second time nothing changes", async () => {
  const files = { "layers/10-a/opt/a": "a\n", "layers/b/opt/b": "b\n" };
  const config = '{"Cmd":["/opt/a"],"Labels":{"x":"file"}}';
  const directory = await write({ ...files, "config.json": config, "state/s": "s\n", odd: "" });
  const project = await sandbox.project();
  const before = await describeTree(directory);
  const flags = ["--label=y=line", "--annotation=n=1", "-t", project.name];
  const first = await collect(project, [...flags, directory]);
  expect(first.layers).toEqual(["a new", "b new"]);
  expect(first.stderr).toContain("warning[output-unknown-file]");
  const {
    container,
    manifest,
    files: unpacked,
  } = await checkImage(sandbox, project.store, first.metadata);
  expect(container).toMatchObject({ Cmd: ["/opt/a"], Labels: { x: "file", y: "line" } });
  expect(manifest.annotations).toMatchObject({ n: "1" });
  expect(await readFile(join(unpacked, "opt", "b"), "utf8")).toBe("b\n");
  expect(await project.findDigest()).toBe(first.metadata.digest);

  const again = await collect(project, ["-q", directory, ...flags]);
  expect(again.layers).toEqual(["a equal", "b equal"]);
  expect(again.metadata.digest).toBe(first.metadata.digest);
  expect(again.stdout).toBe(`${first.metadata.configDigest.slice(7)}\n`);
  expect(await describeTree(directory)).toBe(before);

  const built = await sandbox.project({
    "Containerfile.x": `FROM ${baseImage}\nCOPY out /out\nOUTPUT /l\nRUN cp -R /out/. /l/output/\n`,
  });
  await cp(join(directory, "layers"), join(built.context, "out", "layers"), { recursive: true });
  const { metadata } = await built.build(["--no-load", "--timestamp=0"]);
  const timed = await collect(await sandbox.project(), ["--timestamp=0", directory]);
  expect(listDigests(timed.metadata)).toEqual(listDigests(metadata));
});

/** With a store that may be without the bytes of layers which are in a registry. */
function runOnFreshMachine(directory: string): Run {
  const store = join(directory, "store");
  return async (args) => {
    const outcome = await runXbuild(sandbox, args, { env: { XBUILD_STORE: store } });
    const exists = await readFile(join(store, "index.json")).catch(() => undefined);
    const options = { allowMissingLayers: true };
    expect(exists === undefined ? [] : await validateLayout(store, options)).toEqual([]);
    return outcome;
  };
}

/** An emitter that is a shell script: a layer for each word, kept where it is there. */
const emitter = `set -eu
for name in "$@"; do
  "$DIR/bin/layer" keep "$name" && continue
  mkdir -p "$DIR/../made/opt" && echo "$name" > "$DIR/../made/opt/$name"
  "$DIR/bin/layer" add "$name" -C "$DIR/../made" "opt/$name"
done
cat "$DIR/input/state/seen" 2>/dev/null || :
mkdir "$DIR/output/state" && echo "$@" > "$DIR/output/state/seen"`;

async function emit(directory: string, ...names: readonly string[]): Promise<string> {
  const { stdout } = await execa("sh", ["-c", emitter, "sh", ...names], {
    env: { DIR: directory },
  });
  return stdout;
}

test("a session outside of containers: prepare, run the emitter, collect; on another machine, too", async () => {
  const name = `${registry.proxy.host}/collected:latest`;
  const project = await sandbox.project();
  const session = async (
    of: { readonly run: Run },
    words: readonly string[],
    names: readonly string[],
  ) => {
    const directory = join(await newDirectory(), "layers");
    const prepared = await of.run(["collect", "--prepare", directory, "-t", name, ...words]);
    assertStatus(prepared, 0);
    expect(prepared).toMatchObject({
      stdout: expect.stringMatching(new RegExp(`^${directory}\n$`, "m")),
      calls: [],
    });
    const said = await emit(directory, ...names);
    const collected = await collect(of, [directory, "-t", name, ...words]);
    return { ...collected, directory, said };
  };
  const first = await session(project, [], ["a", "b"]);
  expect(first.layers).toEqual(["a new", "b new"]);
  const second = await session(project, ["--push"], ["b", "c"]);
  expect(second.layers).toEqual(["b kept", "c new"]);
  expect(second.said).toBe("a b");
  const { directory, metadata } = second;
  const { history } = JSON.parse(await readFile(join(directory, "history.json"), "utf8"));
  expect(history).toMatchObject([
    { created_by: "a", blob: true },
    { created_by: "b", blob: true },
  ]);
  // A copy: who writes into it changes nothing of the store.
  const [a] = first.metadata.layers;
  await writeFile(join(directory, "input", "blobs", a?.digest.replace(":", "/") ?? ""), "x");

  const other = { run: runOnFreshMachine(await newDirectory()) };
  const third = await session(other, ["--push"], ["b", "c", "d"]);
  expect(third.layers).toEqual(["b kept", "c kept", "d new"]);
  expect(third.said).toBe("");
  expect(listDigests(third.metadata).slice(0, 2)).toEqual(listDigests(metadata));
  expect(third.metadata.layers[0]?.verified).toBe(false);
});

describe("what is refused", () => {
  test("bad output: with the place, and the tag as it was", async () => {
    const project = await sandbox.project();
    const good = await write({ "output/layers/a/x": "x", "history.json": "" });
    const { metadata } = await collect(project, ["-t", project.name, good]);
    const bad = await write({ "output/history.json": '[{"created_by":"a"}]' });
    const refused = await project.run(["collect", "-t", project.name, bad]);
    assertStatus(refused, 1);
    expect(refused.stderr).toContain("output/history.json:1:2: error[output-json-invalid]");
    expect(await project.findDigest()).toBe(metadata.digest);
  });

  test.each<[string, readonly string[], Readonly<Record<string, string>>, string]>([
    ["no directory", [], {}, "needs one directory"],
    ["what is not there", ["DIR/nowhere"], {}, "is not a directory"],
    ["two that may be meant", ["DIR"], { "output/layers/a/x": "", "layers/a/x": "" }, "DIR/output"],
    ["several platforms", ["DIR", "--platform=linux/amd64,linux/arm64"], {}, "one platform"],
    ["what only a build can", ["DIR", "--build-arg=A=1"], {}, "--build-arg"],
    ["a compression that is none", ["DIR", "--compression=xz"], {}, "--compression"],
    ["a directory to prepare that is in use", ["--prepare", "DIR"], { x: "" }, "not empty"],
  ])("%s", async (_, words, files, said) => {
    const project = await sandbox.project();
    const directory = await write(files);
    const place = (text: string): string => text.replace("DIR", directory);
    const before = await describeTree(directory);
    const refused = await project.run(["collect", ...words.map(place)]);
    expect(refused).toMatchObject({ status: 125, calls: [] });
    expect(refused.stderr).toContain(place(said));
    expect(await describeTree(directory)).toBe(before);
  });
});

test("the layers of --from stand below, and its config is where one begins", async () => {
  const project = await sandbox.project();
  const base = await write({ "layers/base/b": "b", "config.json": '{"Env":["A=1"]}' });
  const below = await collect(project, [base, "-t", "localhost/below"]);
  const directory = await write({ "layers/a/x": "x", "config.json": '{"Cmd":["/x"]}' });
  const flags = ["--from=localhost/below", "-t", project.name];
  const { metadata, layers } = await collect(project, [directory, ...flags]);
  expect(layers).toEqual(["base base", "a new"]);
  expect(metadata.layers[0]?.digest).toBe(below.metadata.layers[0]?.digest);
  const { container } = await checkImage(sandbox, project.store, metadata);
  expect(container).toEqual({ Env: ["A=1"], Cmd: ["/x"] });
  const refused = await project.run([
    "collect",
    directory,
    "--from=oci:/nowhere",
    "-t",
    project.name,
  ]);
  assertStatus(refused, 1);
  expect(await project.findDigest()).toBe(metadata.digest);
});

test("an engine is asked where the image is to be loaded", async () => {
  const project = await sandbox.project();
  const directory = await write({ "layers/a/x": "x" });
  assertStatus(await project.run(["collect", directory, "-t", project.name, "--load"]), 0);
  expect(await project.findLoaded()).toMatch(/^[0-9a-f]{64}$/);
});
