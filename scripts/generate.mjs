// Writes every file of the repository that is made of others (scripts/generated.ts lists them) into the working
// directory. With --check nothing is written: files that are not current are named, and the exit status is 1.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";

const source = join(dirname(fileURLToPath(import.meta.url)), "generated.ts");
const files = await createFiles(process.cwd());
const stale = [...files].filter(([name, text]) => read(name) !== text);
const isCheck = process.argv.includes("--check");
for (const [name, text] of stale) {
  if (!isCheck) {
    mkdirSync(dirname(name), { recursive: true });
    writeFileSync(name, text);
  }
  console.log(isCheck ? `${name} is not current: run npm run generate` : name);
}
if (isCheck && stale.length > 0) process.exitCode = 1;

/** The files by their names in the directory, as `generated.ts` makes them; Node 20 runs no TypeScript itself. */
async function createFiles(directory) {
  const cache = join(dirname(source), "../node_modules/.cache");
  const bundle = join(cache, `xbuild-generate-${process.pid}.mjs`);
  try {
    await build({
      entryPoints: [source],
      outfile: bundle,
      bundle: true,
      platform: "node",
      format: "esm",
      packages: "external",
      logLevel: "warning",
    });
    const { createGeneratedFiles } = await import(pathToFileURL(bundle).href);
    return createGeneratedFiles(directory);
  } finally {
    rmSync(bundle, { force: true });
  }
}

function read(name) {
  return existsSync(name) ? readFileSync(name, "utf8") : undefined;
}
