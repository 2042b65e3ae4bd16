#!/usr/bin/env node
// Kept tiny: what `--version` loads decides how fast the tool feels. It is built as CommonJS, and so is the program that
// it loads: V8 keeps no code for modules.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Script } from "node:vm";

declare const XBUILD_VERSION: string;

interface Program {
  readonly runProcess: (words: readonly string[], packageUrl: string) => Promise<void>;
}

type Definition = (module: { exports: unknown }, require: NodeJS.Require, file: string) => void;

const words = process.argv.slice(2);
if (words[0] === "--version" || words[0] === "version") {
  process.stdout.write(`xbuild ${XBUILD_VERSION}\n`);
} else {
  sizeThreadPool();
  const dist = dirname(__dirname);
  void load(join(dist, "program.cjs")).runProcess(words, pathToFileURL(`${dirname(dist)}/`).href);
}

/**
 * A thread of Node's pool for each core, up to 16, which layers are compressed on; it has four unless something says so
 * before its first use. Whoever has set it himself keeps that.
 */
function sizeThreadPool(): void {
  const wanted = Math.min(16, availableParallelism());
  if (wanted > 4) process.env["UV_THREADPOOL_SIZE"] ??= String(wanted);
}

function load(file: string): Program {
  const source = readFileSync(file);
  const script = new Script(source.toString("latin1"), {
    // Whatever directory it was built in.
    filename: "program.cjs",
    cachedData: readCode(`${file}.code`, source),
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own build wrote it
  const define = script.runInThisContext() as Definition;
  const module = { exports: {} };
  define(module, createRequire(file), file);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return module.exports as Program;
}

/**
 * What V8 made of the program when it was built, behind a digest of both. V8 itself leaves out what another version of it
 * made; undefined for none, for another program's, and for one that is not whole.
 */
function readCode(file: string, source: Buffer): Buffer | undefined {
  try {
    const bytes = readFileSync(file);
    const code = bytes.subarray(32);
    const digest = createHash("sha256").update(source).update(code).digest();
    return digest.equals(bytes.subarray(0, 32)) ? code : undefined;
  } catch {
    return undefined;
  }
}
