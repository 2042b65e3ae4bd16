// Builds what users run: types by tsc, bundles by esbuild. `npm ci` calls it through `prepare`.
import { spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { bundleOptions, frontendOptions, mainOptions, programOptions } from "./bundle.mjs";
import { joinHelper } from "./join-helper.mjs";

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

// Made beside dist and put in its place as a whole, so that what runs from dist meanwhile goes on.
const unfinished = `dist.${process.pid}`;
const tsc = join(root, "node_modules/typescript/bin/tsc");
process.on("exit", () => rmSync(join(root, unfinished), { recursive: true, force: true }));
const types = spawnSync(
  process.execPath,
  [tsc, "-p", root, "--outDir", join(root, unfinished, "types")],
  { stdio: "inherit" },
);
if (types.status !== 0) process.exit(1);
const defined = { XBUILD_VERSION: JSON.stringify(version) };
const outdir = unfinished;
await build({ ...bundleOptions, outdir, define: defined });
await build({ ...programOptions, outdir, define: { ...programOptions.define, ...defined } });
await build({ ...frontendOptions, outdir, define: defined });
await build({ ...mainOptions, outdir, define: defined });
// The package is one of modules.
writeFileSync(join(root, unfinished, "cli/package.json"), '{ "type": "commonjs" }\n');
chmodSync(join(root, unfinished, "cli/main.js"), 0o755);
// The helper that builds find at <path>/bin/layer is shell and awk, not TypeScript.
mkdirSync(join(root, unfinished, "bin"));
writeFileSync(join(root, unfinished, "bin/layer"), joinHelper(join(root, "helper")).text, {
  mode: 0o755,
});
const program = join(root, unfinished, "program.cjs");
const sample = join(root, "examples/busybox/Containerfile.x");
const written = spawnSync(process.execPath, ["scripts/write-code.mjs", program, sample], {
  cwd: root,
  stdio: "inherit",
});
if (written.status !== 0) process.exit(1);
rmSync(join(root, "dist"), { recursive: true, force: true });
renameSync(join(root, unfinished), join(root, "dist"));
