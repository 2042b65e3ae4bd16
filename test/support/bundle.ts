import { mkdtemp, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "esbuild";

/**
 * A TypeScript module of this project as one JavaScript file that node runs, for tests that need processes
 * of their own. It lies below the project, so that it finds the packages.
 */
export async function bundleModule(
  path: string,
): Promise<{ readonly file: string; readonly remove: () => Promise<void> }> {
  const directory = await mkdtemp(resolve("node_modules/.xbuild-test-"));
  const file = join(directory, "module.mjs");
  await build({
    entryPoints: [path],
    outfile: file,
    bundle: true,
    platform: "node",
    format: "esm",
    packages: "external",
    logLevel: "silent",
  });
  return { file, remove: () => rm(directory, { recursive: true, force: true }) };
}
