import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import type { Diagnostic } from "../../diagnostics.ts";
import { scanOutput } from "../directory/output-scan.ts";
import { closeDirectory, openOutput } from "../../archive/read/directory.ts";
import {
  collect,
  createDirectory,
  layersOf,
  makeTar,
  writeFiles,
} from "../../../test/support/layers/fixtures.ts";
import { listXattrPrograms, type XattrProgram } from "./xattr-programs.ts";
import { readTreeXattrs } from "./xattrs.ts";

const capability = "0x0100000200040000000000000000000000000000";

function createTree(): string {
  const output = writeFiles(createDirectory(), {
    "layers/a/bin/ping": "ping",
    "layers/a/plain": "",
  });
  mkdirSync(join(output, "layers/a/d\u00e9 x"));
  setXattr(join(output, "layers/a/bin/ping"), "security.capability", capability);
  setXattr(join(output, "layers/a/d\u00e9 x"), "user.b", "0x00ff0a");
  setXattr(join(output, "layers/a/d\u00e9 x"), "user.a", "");
  setXattr(join(output, "layers/a/plain"), "user.overlay.opaque", "0x79");
  symlinkSync("bin/ping", join(output, "layers/a/link"));
  return output;
}

function setXattr(path: string, name: string, value: string): void {
  execFileSync("setfattr", ["-n", name, ...(value === "" ? [] : ["-v", value]), path]);
}

async function readXattrs(output: string, programs: readonly XattrProgram[]): Promise<unknown> {
  const directory = openOutput(output);
  const opened = [directory];
  const warnings: Diagnostic[] = [];
  const scan = scanOutput(directory, (other) => opened.push(other));
  const find = await readTreeXattrs(scan, {
    warn: (warning) => warnings.push(warning),
    programs,
  });
  const [layer] = scan.layers;
  if (layer === undefined) throw new Error("no layer");
  const paths = ["bin/ping", "d\u00c3\u00a9 x", "plain", "link"];
  const found = paths.map((path) =>
    find(layer, path).map(([name, value]) => [name, Buffer.from(value, "latin1").toString("hex")]),
  );
  for (const each of opened) closeDirectory(each);
  return { found, warnings: warnings.map(({ code }) => code) };
}

const expected = {
  found: [
    [["security.capability", capability.slice(2)]],
    [
      ["user.a", ""],
      ["user.b", "00ff0a"],
    ],
    [],
    [],
  ],
  warnings: [],
};

describe("readTreeXattrs", () => {
  it.each(listXattrPrograms(process.arch).map((program) => [program.program, program] as const))(
    "reads attributes with %s",
    async (_name, program) => {
      expect(await readXattrs(createTree(), [program])).toEqual(expected);
    },
  );

  it("takes the next program where one is missing, and warns where one fails or none is left", async () => {
    const missing = { program: "no-such-program", args: [] };
    const failing = { program: "sh", args: ["-c", "exit 3"] };
    const output = createTree();
    expect(await readXattrs(output, [missing, ...listXattrPrograms(process.arch)])).toEqual(
      expected,
    );
    expect(await readXattrs(output, [failing, missing])).toEqual({
      found: [[], [], [], []],
      warnings: ["layer-xattrs-unread", "layer-xattrs-unread"],
    });
  });
});

describe("attributes in layers", () => {
  it("packs those of a tree as those of an archive", async () => {
    const output = createTree();
    const tar = makeTar(join(output, "layers/a"), "--xattrs", "--xattrs-include=*", "--format=pax");
    writeFileSync(join(output, "layers/b.tar"), tar);
    const [tree, archive] = layersOf(await collect(output, { epoch: 1, reuse: "content" }));
    expect(tree?.diffId).toBe(archive?.diffId);
    const text = gunzipSync(readFileSync(tree?.blob?.path ?? "")).toString("latin1");
    expect(text).toContain("SCHILY.xattr.security.capability=");
    expect(text).not.toContain("overlay");
  });
});
