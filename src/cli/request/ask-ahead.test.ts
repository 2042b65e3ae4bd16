import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";

import { captureIo } from "../../../test/support/capture-io.ts";
import { beginBuild, listLikelyImages } from "./ask-ahead.ts";
import { readBuildLine } from "../line/build-line.ts";

const plain = "FROM localhost/base\nOUTPUT /layers\nRUN true\n";
const stages =
  "ARG A=x\nfrom --platform=linux/amd64 one AS First\r\nFROM $A\nFROM first\nFROM scratch\nFROM two\nOUTPUT /l\n";
const continued = "# escape=`\nFROM `\n# note\n  one\nOUTPUT `\n  /layers\n";

test.each([
  { words: ["-t", "app"], text: plain, asked: ["localhost/base", "localhost/app:latest"] },
  { words: ["-t", "app", "--no-load"], text: plain, asked: ["localhost/base"] },
  { words: ["-t", "app", "-o", "oci:x"], text: plain, asked: ["localhost/base"] },
  { words: ["-t", "app"], text: "FROM localhost/base\nRUN true\n", asked: [] },
  { words: ["-t", "app"], text: "FROM a\nRUN <<E\nOUTPUT /l\nE\n# OUTPUT /l\n", asked: [] },
  { words: ["-t", "UPPER"], text: plain, asked: [] },
  { words: [], text: stages, asked: ["one", "two"] },
  { words: [], text: continued, asked: ["one"] },
  { words: [], text: "FROM\nOUTPUT /l\n", asked: [] },
])("$words asks for $asked", ({ words, text, asked }) => {
  const { line } = readBuildLine(words);
  expect(line && listLikelyImages(line, Buffer.from(text))).toEqual(asked);
});

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-ahead-"));
});
afterEach(() => rm(directory, { recursive: true }));

/** Without an engine in reach: whoever asks one fails. */
function begin(...words: string[]) {
  const { io } = captureIo({ cwd: directory, env: { PATH: "" } });
  return beginBuild(words, io);
}

test("what has been read is handed on", async () => {
  await writeFile(join(directory, "Containerfile"), "FROM scratch\nOUTPUT /l\n");
  const { sources, read } = await begin("--quiet");
  expect(sources).toMatchObject({ file: "Containerfile", context: directory });
  expect(sources && Buffer.from(sources.bytes).toString()).toBe("FROM scratch\nOUTPUT /l\n");
  expect(read.line?.flags).toHaveLength(1);
});

test("the engine is asked for what the file names, and not where nothing known counts", async () => {
  await writeFile(join(directory, "Containerfile"), plain);
  await expect(begin()).rejects.toMatchObject({ code: "engine-not-found" });
  expect((await begin("--no-cache")).sources).toBeDefined();
});

test("what is wrong is for the build to tell", async () => {
  expect((await begin("none")).sources).toBeUndefined();
  expect((await begin("--no-such-flag")).read.error).toMatchObject({ code: "usage" });
});

test("what can be read but once is left to the build", async () => {
  await writeFile(join(directory, "Containerfile"), "FROM scratch\n");
  for (const words of [
    ["-f", "/dev/null"],
    ["-f", "-"],
    ["--help"],
    ["https://host.example/x.git"],
    ["-f", "Containerfile", "-f", "Containerfile"],
  ]) {
    expect((await begin(...words)).sources).toBeUndefined();
  }
});
