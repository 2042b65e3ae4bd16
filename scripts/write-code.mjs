// Lets V8 compile a built program, and keeps its code for src/cli/main.ts: the sha256 of both, then the code itself.
// usage: node scripts/write-code.mjs PROGRAM SAMPLE   SAMPLE is a Containerfile that is read, so that what reads it is there
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";

const [file, sample] = process.argv.slice(2);
const source = readFileSync(file);
const script = new Script(source.toString("latin1"), {
  filename: "program.cjs",
});
const module = { exports: {} };
script.runInThisContext()(module, createRequire(file), file);
// What it says is for nobody.
process.stdout.write = process.stderr.write = (_text, ...rest) => {
  rest.findLast((one) => typeof one === "function")?.();
  return true;
};
const packageUrl = pathToFileURL(`${process.cwd()}/`).href;
for (const words of [["check", "-f", sample, dirname(sample)], ["help"], ["build", "--help"]]) {
  await module.exports.runProcess(words, packageUrl);
}
const code = script.createCachedData();
const digest = createHash("sha256").update(source).update(code).digest();
writeFileSync(`${file}.code`, Buffer.concat([digest, code]));
process.exitCode = 0;
