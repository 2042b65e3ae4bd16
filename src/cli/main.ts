#!/usr/bin/env node
// Kept tiny: what `--version` and `--help` load decides how fast the tool feels.
declare const XBUILD_VERSION: string;

const words = process.argv.slice(2);
if (words[0] === "--version" || words[0] === "version") {
  process.stdout.write(`xbuild ${XBUILD_VERSION}\n`);
} else {
  const { runProcess } = await import("./process.ts");
  await runProcess(words, new URL("../../", import.meta.url).href);
}
