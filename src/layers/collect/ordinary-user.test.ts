import { chmodSync, chownSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  collect,
  createDirectory,
  layersOf,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";

const nobody = 65_534;

/** The rest of the test runs without root's rights. */
function becomeNobody(): void {
  process.setegid?.(nobody);
  process.seteuid?.(nobody);
  onTestFinished(() => {
    process.seteuid?.(0);
    process.setegid?.(0);
  });
}

function createOutput(): { output: string; staging: string } {
  const directory = createDirectory();
  chmodSync(directory, 0o755);
  const output = writeFiles(join(directory, "output"), {
    "layers/a/d/x": "x",
    "config.json": "{}",
  });
  const staging = join(directory, "staging");
  mkdirSync(staging);
  chownSync(staging, nobody, nobody);
  return { output, staging };
}

describe.skipIf(process.getuid?.() !== 0)("as an ordinary user", () => {
  it.each([
    ["a file of a tree", "layers/a/d/x"],
    ["a directory of a tree", "layers/a/d"],
    ["a tree", "layers/a"],
    ["the layers", "layers"],
    ["a document", "config.json"],
  ])("refuses %s that cannot be read", async (_what, path) => {
    const { output, staging } = createOutput();
    chmodSync(join(output, path), 0);
    becomeNobody();
    await expect(collect(output, { staging })).rejects.toMatchObject({
      code: "output-unreadable",
      message: expect.stringContaining(`output/${path}: `),
    });
  });

  it("packs files of other users with their owners", async () => {
    const { output, staging } = createOutput();
    chownSync(join(output, "layers/a/d/x"), 1234, 5678);
    becomeNobody();
    const [layer] = layersOf(await collect(output, { staging }));
    process.seteuid?.(0);
    const again = layersOf(await collect(output));
    expect(layer?.diffId).toBe(again[0]?.diffId);
  });
});
