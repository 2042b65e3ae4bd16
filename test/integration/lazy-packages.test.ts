import { build, type Metafile } from "esbuild";
import { expect, test } from "vitest";

// Start-up decides how fast a build is that has nothing to do: what it does not need is loaded later.

test.each(["undici", "execa"])("%s is loaded when it is first needed", async (name) => {
  const { metafile } = await build({
    // What `main.ts` loads for every command.
    entryPoints: ["src/cli/process.ts"],
    outdir: "dist",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "node",
    metafile: true,
    write: false,
    logLevel: "silent",
  });
  const listInputs = (output: string): readonly string[] =>
    Object.keys(metafile.outputs[output]?.inputs ?? {});
  const withIt = Object.keys(metafile.outputs).filter((output) =>
    listInputs(output).some((input) => input.includes(`node_modules/${name}/`)),
  );
  expect(withIt).not.toEqual([]);
  // It would share a file with what imports it at once.
  expect(withIt.flatMap(listInputs).filter((input) => input.startsWith("src/"))).toEqual([]);
  const first = "dist/process.js";
  expect(metafile.outputs).toHaveProperty([first]);
  const loaded = listStatic(metafile, first);
  expect(withIt.filter((output) => loaded.has(output))).toEqual([]);
});

/** The files that are loaded with this one. */
function listStatic({ outputs }: Metafile, first: string): ReadonlySet<string> {
  const found = new Set([first]);
  for (const output of found) {
    for (const { path, kind } of outputs[output]?.imports ?? []) {
      if (kind === "import-statement" && path in outputs) found.add(path);
    }
  }
  return found;
}
