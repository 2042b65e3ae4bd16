import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { listLikelyImages } from "./ask-ahead.ts";

let directory = "";
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "xbuild-ahead-"));
});
afterEach(() => rm(directory, { recursive: true }));

const plain = "FROM localhost/base\nOUTPUT /layers\nRUN true\n";
const stages =
  "ARG A=x\nfrom --platform=linux/amd64 one AS first\r\nFROM $A\nFROM first\nFROM scratch\nFROM two\nOUTPUT /l\n";

test.each([
  { words: ["-t", "app"], text: plain, asked: ["localhost/base", "localhost/app:latest"] },
  { words: ["-t", "app", "--no-load"], text: plain, asked: ["localhost/base"] },
  { words: ["-t", "app", "-o", "oci:x"], text: plain, asked: ["localhost/base"] },
  { words: ["-t", "app", "--no-cache"], text: plain, asked: [] },
  { words: ["--help"], text: plain, asked: [] },
  { words: ["--no-such-flag"], text: plain, asked: [] },
  { words: ["-t", "app"], text: "FROM localhost/base\nRUN true\n", asked: [] },
  { words: ["-t", "UPPER"], text: plain, asked: [] },
  { words: [], text: stages, asked: ["one", "two"] },
])("$words asks for $asked", async ({ words, text, asked }) => {
  await writeFile(join(directory, "Containerfile.x"), text);
  expect(await listLikelyImages([...words, directory], directory)).toEqual(asked);
});

test("a context that is not there is for the build to tell", async () => {
  expect(await listLikelyImages([join(directory, "none")], directory)).toEqual([]);
});
