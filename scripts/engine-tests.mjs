// The end-to-end tests, for a machine with other engines: all of them, or with --few those that test/engines.json
// names, each of which must have run.
// usage: engine-tests.mjs [--few] [VITEST ARGUMENT...]
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const vitest = "node_modules/.bin/vitest";
const args = process.argv.slice(2);
process.exitCode = args[0] === "--few" ? runFew(args.slice(1)) : run(["test/e2e", ...args]);

function run(words) {
  return spawnSync(vitest, ["run", ...words], { stdio: "inherit" }).status ?? 1;
}

function runFew(rest) {
  const files = JSON.parse(readFileSync("test/engines.json", "utf8"));
  const names = Object.values(files).flat();
  const pattern = `^(?:${names.map((name) => name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|")})$`;
  const directory = mkdtempSync(join(tmpdir(), "xbuild-engines-"));
  try {
    const outputFile = join(directory, "report.json");
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile=${outputFile}`];
    const status = run([...Object.keys(files), "-t", pattern, ...reporters, ...rest]);
    const missing = listMissing(files, JSON.parse(readFileSync(outputFile, "utf8")));
    for (const one of missing) console.error(`test/engines.json names what has not passed: ${one}`);
    return missing.length > 0 ? 1 : status;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A test that is renamed would drop out without a word. */
function listMissing(files, { testResults }) {
  const passed = new Set(
    testResults.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === "passed")
        .map(({ fullName }) => `${relative(process.cwd(), name)}: ${fullName}`),
    ),
  );
  return Object.entries(files)
    .flatMap(([file, names]) => names.map((name) => `${file}: ${name}`))
    .filter((one) => !passed.has(one));
}
