import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { validateLayout } from "../support/validate-layout.ts";
import { baseImage, useSandbox } from "../support/sandbox.ts";
import { runXbuild } from "../support/xbuild.ts";

// Paths may have any character: each is the store's, the context's and that of temporary files at once.

const sandbox = useSandbox();

const names = {
  "spaces, quotes, brackets and the like": "a b'c\\d${HOME}$e@f+g[h]i%2Cj#k;l aé漢",
  "commas, double quotes and line ends": 'a,b"c\nd=e',
};

async function makeContext(directory: string): Promise<string> {
  const context = join(directory, "context");
  await mkdir(join(directory, "tmp"), { recursive: true });
  await mkdir(context);
  await writeFile(join(context, "kept"), "kept");
  await writeFile(join(context, "left"), "left");
  await writeFile(join(directory, "ignored"), "left\n");
  const file = `FROM ${baseImage}\nOUTPUT /layers\nCOPY . /src/\nRUN test ! -e /src/left && /layers/bin/layer keep src || /layers/bin/layer add src /src\n`;
  await writeFile(join(context, "Containerfile.x"), file);
  return context;
}

function build(directory: string, store: string, more: readonly string[]) {
  const context = join(directory, "context");
  const flags = [`--ignorefile=${join(directory, "ignored")}`, "-t", "localhost/odd", ...more];
  const env = { XBUILD_STORE: store, TMPDIR: join(directory, "tmp") };
  return runXbuild(sandbox, [...flags, context], { env });
}

describe.each(["buildah", "podman"])("%s", (engine) => {
  test.each(Object.entries(names))("a path with %s", async (_, name) => {
    const directory = join(sandbox.directory, `${name}-${engine}`);
    await makeContext(directory);
    const store = join(directory, "store");
    const layout = join(directory, "layout");
    const more = [`--engine=${engine}`, "--load", `-o=oci:${layout}:x`];
    const first = await build(directory, store, more);
    expect({ first, status: first.status }).toMatchObject({ status: 0 });
    expect(await validateLayout(store)).toEqual([]);
    expect(await validateLayout(layout)).toEqual([]);
    const archive = `-o=oci-archive:${join(directory, "app.tar")}:x`;
    const files = `-o=${join(directory, "files")}`;
    const again = await build(directory, store, [`--engine=${engine}`, archive, "--no-cache"]);
    expect({ again, status: again.status }).toMatchObject({ status: 0 });
    // The engine itself splits a destination at a comma.
    if (/[",\n=]/.test(name)) return;
    const written = await build(directory, store, [`--engine=${engine}`, files]);
    expect({ written, status: written.status }).toMatchObject({ status: 0 });
    expect(await readFile(join(directory, "files/src/kept"), "utf8")).toBe("kept");
  });
});

test("a context, an ignore file and temporary files in a path with a colon", async () => {
  const directory = join(sandbox.directory, "a:b");
  await makeContext(directory);
  const store = join(sandbox.directory, "plain-store");
  const outcome = await build(directory, store, ["--no-load"]);
  expect({ outcome, status: outcome.status }).toMatchObject({ status: 0 });
});

test("a store in a path with a colon is refused before anything is made", async () => {
  const directory = join(sandbox.directory, "plain");
  await makeContext(directory);
  const outcome = await build(directory, join(sandbox.directory, "a:b", "store"), []);
  expect(outcome).toMatchObject({ status: 125, builds: [] });
  expect(outcome.stderr).toContain("do not accept a colon");
});

test("a previous image in a layout whose path has colons", async () => {
  const directory = join(sandbox.directory, "previous");
  await makeContext(directory);
  const plain = join(directory, "layout");
  const store = join(directory, "store");
  expect(await build(directory, store, ["--no-load", `-o=oci:${plain}:x`])).toMatchObject({
    status: 0,
  });
  const odd = join(directory, "a:b,c");
  await cp(plain, odd, { recursive: true });
  const more = ["--no-load", "--no-cache", `--cache-from=oci:${odd}:x`];
  const outcome = await build(directory, join(directory, "other-store"), more);
  expect({ outcome, status: outcome.status }).toMatchObject({ status: 0 });
  expect(outcome.stdout).toMatch(/kept/);
});
