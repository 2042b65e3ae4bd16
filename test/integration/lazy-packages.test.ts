import { build, type Metafile } from "esbuild";
import { beforeAll, expect, test } from "vitest";
import { bundleOptions } from "../../scripts/bundle.mjs";

// Start-up decides how fast a build is that has nothing to do: what it does not need is loaded later.

let metafile: Metafile;

beforeAll(async () => {
  // As modules: in the program's one script all that is loaded later stands, too.
  const entryPoints = ["src/cli/process.ts", "src/index.ts"];
  const options = {
    ...bundleOptions,
    entryPoints,
    outdir: "dist",
    write: false,
    metafile: true,
  } as const;
  ({ metafile } = await build({ ...options, logLevel: "silent" }));
});

/** What is loaded by a build that finds its image. */
const starts = ["src/cli/process.ts", "src/cli/request/ask-ahead.ts", "src/cli/commands/build.ts"];

test.each(["undici", "execa", "zod", "dockerfile-ast", "log-update"])(
  "a build that has nothing to do does not load %s",
  (name) => {
    const mentions = (input: string): boolean => input.includes(`node_modules/${name}/`);
    const bundled = Object.values(metafile.outputs).flatMap(({ inputs }) => Object.keys(inputs));
    expect(bundled.filter(mentions)).not.toEqual([]);
    expect(listLoaded(metafile).filter(mentions)).toEqual([]);
  },
);

test.each([
  "src/archive/",
  "src/registry/",
  "src/sources/fetch.ts",
  "src/layers/",
  "src/pipeline/comparison/",
  "src/cli/report/changes.ts",
  "src/cli/report/markdown.ts",
  "src/rebase/",
  "src/copy/skopeo.ts",
  "src/engine/containers/session.ts",
  "src/store/images/commit.ts",
  "src/containerfile/view/",
])("a build that has nothing to do does not load %s", (place) => {
  expect(listLoaded(metafile).filter((input) => input.startsWith(place))).toEqual([]);
});

test("faces are no part of what is loaded: they only say where names are", () => {
  expect(listLoaded(metafile)).toContain("src/store/images/images.ts");
  expect(listLoaded(metafile)).not.toContain("src/store/store.ts");
});

test("dockerfile-ast is imported by the view alone", () => {
  const importers = Object.entries(metafile.inputs).filter(
    ([from, { imports }]) =>
      !from.includes("node_modules/") &&
      imports.some(({ path }) => path.includes("/dockerfile-ast/")),
  );
  expect(importers.map(([from]) => from)).toEqual(["src/containerfile/view/view.ts"]);
});

/** The sources in the files that are loaded with those of `starts`. */
function listLoaded({ outputs }: Metafile): readonly string[] {
  const first = Object.keys(outputs).filter((output) =>
    starts.includes(outputs[output]?.entryPoint ?? ""),
  );
  expect(first).toHaveLength(starts.length);
  const found = new Set(first);
  for (const output of found) {
    for (const { path, kind } of outputs[output]?.imports ?? []) {
      if (kind === "import-statement" && path in outputs) found.add(path);
    }
  }
  return [...found].flatMap((output) => Object.keys(outputs[output]?.inputs ?? {}));
}
