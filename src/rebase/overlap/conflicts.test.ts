import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { pack, type Header } from "tar-stream";
import { describe, expect, test } from "vitest";
import type { LayerFile } from "../../archive/read/layer-file.ts";
import { compress, createDirectory } from "../../../test/support/layers/fixtures.ts";
import { findConflicts } from "./conflicts.ts";

/** A file's text, a directory (ends with a slash), or any entry. */
type Files = Readonly<Record<string, string | Partial<Header>>>;

let count = 0;

async function makeLayer(
  files: Files,
  compression: "gzip" | "zstd" | "none" = "none",
): Promise<LayerFile> {
  const archive = pack();
  for (const [name, file] of Object.entries(files)) {
    const type = name.endsWith("/") ? "directory" : "file";
    const headers = { name, type, mode: 0o644, mtime: new Date(0) } as const;
    if (typeof file === "string") archive.entry(headers, file);
    else archive.entry({ ...headers, ...file });
  }
  archive.finalize();
  const tar = await buffer(archive);
  count += 1;
  const path = join(createDirectory(), `layer-${count}`);
  writeFileSync(path, compression === "none" ? tar : compress(compression, tar));
  return { path, shown: `layer-${count}` };
}

function makeLayers(side: readonly Files[]): Promise<readonly LayerFile[]> {
  return Promise.all(side.map((files) => makeLayer(files)));
}

interface Case {
  readonly own: readonly Files[];
  readonly from?: readonly Files[];
  readonly onto?: readonly Files[];
  /** `path layer`; the layer 0 unless it says so. */
  readonly found: readonly string[];
}

async function check({ own, from = [], onto = [] }: Case): Promise<readonly string[]> {
  const input = {
    own: await makeLayers(own),
    from: await makeLayers(from),
    onto: await makeLayers(onto),
  };
  const conflicts = await findConflicts(input);
  return conflicts.map(({ path, layer }) => (layer === 0 ? path : `${path} ${layer}`));
}

const link = (linkname: string): Partial<Header> => ({ type: "symlink", linkname });
const hardLink = (linkname: string): Partial<Header> => ({ type: "link", linkname });
const fifo: Partial<Header> = { type: "fifo" };

describe("what own layers hide", () => {
  const a1 = { a: "1" };
  const a2 = { a: "2" };
  const cases: Readonly<Record<string, Case>> = {
    "a file that changed": { own: [{ a: "x" }], from: [a1], onto: [a2], found: ["a"] },
    "one that did not": {
      own: [{ a: "x" }],
      from: [a1],
      onto: [{ a: "1", b: "2" }],
      found: [],
    },
    "one that is new": { own: [{ a: "x" }], onto: [a1], found: ["a"] },
    "one that went": { own: [{ a: "x" }], from: [a1], found: ["a"] },
    "one that the base removes": { own: [{ a: "x" }], onto: [{ ".wh.a": "" }], found: ["a"] },
    "one that both bases remove": {
      own: [{ a: "x" }],
      from: [{ ".wh.a": "" }],
      onto: [{ ".wh.a": "" }],
      found: [],
    },
    "a file beside it": { own: [{ b: "x" }], from: [a1], onto: [a2], found: [] },
    "another mode": {
      own: [{ a: "x" }],
      from: [{ a: { type: "fifo", mode: 0o600 } }],
      onto: [{ a: { type: "fifo", mode: 0o640 } }],
      found: ["a"],
    },
    "not another time": {
      own: [{ a: "x" }],
      from: [{ a: fifo }],
      onto: [{ a: { ...fifo, mtime: new Date(9000) } }],
      found: [],
    },
    "another owner": {
      own: [{ a: "x" }],
      from: [{ a: { ...fifo, uid: 1 } }],
      onto: [{ a: { ...fifo, uid: 2 } }],
      found: ["a"],
    },
    "another target of a link": {
      own: [{ a: "x" }],
      from: [{ a: link("b") }],
      onto: [{ a: link("c") }],
      found: ["a"],
    },
    "another content behind a hard link": {
      own: [{ b: "x" }],
      from: [{ a: "1", b: hardLink("a") }],
      onto: [{ a: "2", b: hardLink("a") }],
      found: ["b"],
    },
    "the same file by the other of its names": {
      own: [{ b: "x" }],
      from: [{ a: "1", b: hardLink("a") }],
      onto: [{ b: "1", a: hardLink("b") }],
      found: [],
    },
    "a link of their own": { own: [{ a: link("b") }], from: [a1], onto: [a2], found: ["a"] },
    "a whiteout": { own: [{ ".wh.a": "" }], from: [a1], onto: [a2], found: ["a"] },
    "a whiteout of its directory": {
      own: [{ "d/.wh.e": "" }],
      from: [{ "d/": {}, "d/e/": {}, "d/e/f": "1", "d/g": "1" }],
      onto: [{ "d/": {}, "d/e/": {}, "d/e/f": "2", "d/g": "2" }],
      found: ["d/e/f"],
    },
    "an opaque directory": {
      own: [{ "d/": {}, "d/.wh..wh..opq": "" }],
      from: [{ "d/": { mode: 0o700 }, "d/f": "1" }],
      onto: [{ "d/": { mode: 0o755 }, "d/f": "2" }],
      found: ["d/f"],
    },
    "a file in its directory's place": {
      own: [{ d: "x" }],
      from: [{ "d/f": "1" }],
      onto: [{ "d/f": "2" }],
      found: ["d/f"],
    },
    "a mere directory": {
      own: [{ "d/": { mode: 0o700 }, "d/own": "x" }],
      from: [{ "d/": { mode: 0o700 }, "d/f": "1" }],
      onto: [{ "d/": { mode: 0o755 }, "d/f": "2" }],
      found: [],
    },
    "a directory where the new base has a link": {
      own: [{ "bin/tool": "x" }],
      from: [{ "bin/": {}, "bin/sh": "1" }],
      onto: [{ bin: link("usr/bin"), "usr/bin/sh": "1" }],
      found: ["bin"],
    },
    "a directory that the new base has not": {
      own: [{ "d/own": "x" }],
      from: [{ "d/": {}, "d/f": "1" }],
      found: [],
    },
    "the topmost own layer is named": {
      own: [{ a: "x" }, { b: "x" }, { a: "y" }],
      from: [a1],
      onto: [a2],
      found: ["a 2"],
    },
    "a lower layer of the base does not count": {
      own: [{ a: "x", "d/f": "x" }],
      from: [{ a: "1", "d/f": "1" }, { a: "2" }],
      onto: [{ a: "3", "d/f": "2" }, { a: "2", ".wh.d": "", "d/": {} }, { "d/f": "1" }],
      found: [],
    },
    "a whiteout and what stands beside it in its layer": {
      own: [{ "d/f": "x", "d/g": "x" }],
      from: [{ "d/f": "1", "d/g": "1" }],
      onto: [
        { "d/f": "0", "d/g": "1" },
        { ".wh.d": "", "d/f": "1" },
      ],
      found: ["d/g"],
    },
    "what lay in a directory that became a file": {
      own: [{ "d/f": "x" }],
      from: [{ d: "1" }],
      onto: [{ "d/f": "1" }, { d: "1" }],
      found: [],
    },
    "a directory that the new base removes from below": {
      own: [{ "d/f": "x" }],
      onto: [{ ".wh.d": "" }],
      found: ["d/f"],
    },
    "nothing below the base changed": { own: [{ a: "x" }], from: [a1], onto: [a1], found: [] },
  };
  test.each(Object.entries(cases))("%s", async (_, one) => {
    expect(await check(one)).toEqual(one.found);
  });

  test("control characters do not reach a terminal", async () => {
    const name = "a\u001b[2Jb";
    expect(await check({ own: [{ [name]: "x" }], onto: [{ [name]: "1" }], found: [] })).toEqual([
      String.raw`a\x1b[2Jb`,
    ]);
  });
});

describe("content", () => {
  const large = "0123456789abcdef".repeat(300_000);
  test.each([["none"], ["gzip"], ["zstd"]] as const)("is compared, compression %s", async (how) => {
    const own = [await makeLayer({ same: "x", other: "x", after: "x" }, how)];
    const from = [await makeLayer({ same: large, other: `${large}1`, after: "1" }, how)];
    const onto = [await makeLayer({ same: large, other: `${large}2`, after: "1" }, "none")];
    const found = await findConflicts({ own, from, onto });
    expect(found.map(({ path }) => path)).toEqual(["other"]);
  });

  test("what is no layer is an error", async () => {
    const layer = await makeLayer({ a: "1" });
    writeFileSync(layer.path, "this is no archive".repeat(100));
    const code = "layer-tar-broken";
    await expect(findConflicts({ own: [layer], from: [], onto: [] })).rejects.toMatchObject({
      code,
    });
  });
});
