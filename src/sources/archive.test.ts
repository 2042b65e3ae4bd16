import { execFile } from "node:child_process";
import { mkdir, readdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { type Header, pack } from "tar-stream";
import { expect, test } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { detectPacking, unpackArchive } from "./archive.ts";
import { findInside } from "./inside.ts";

const run = promisify(execFile);
const { signal } = new AbortController();
const place = { signal, onProgress: () => undefined };

type Entry = Partial<Header> & { readonly name: string; readonly text?: string };

async function writeTar(path: string, entries: readonly Entry[]): Promise<void> {
  const archive = pack();
  for (const { text, ...header } of entries) {
    const mode = header.type === "directory" ? 0o755 : 0o644;
    if (text === undefined) archive.entry({ mode, ...header });
    else archive.entry({ mode, ...header }, text);
  }
  archive.finalize();
  await writeFile(path, await buffer(archive));
}

/** What an archive of these entries becomes in `context`, beside which `outside` lies. */
function withUnpacked(
  archive: readonly Entry[] | ((path: string) => Promise<unknown>),
  action: (context: string, unpacking: Promise<void>) => Promise<void>,
): Promise<void> {
  return withTemporaryDirectory(async (directory) => {
    const [path, context] = [join(directory, "archive"), join(directory, "context")];
    await mkdir(context);
    await writeFile(join(directory, "outside"), "before");
    if (typeof archive === "function") await archive(path);
    else await writeTar(path, archive);
    const packing = detectPacking(path);
    if (packing === undefined) throw new Error("it is no archive");
    await action(context, unpackArchive({ path, packing, shown: "it" }, context, place));
    expect(await readFile(join(directory, "outside"), "utf8")).toBe("before");
    expect((await readdir(directory)).sort()).toEqual(["archive", "context", "outside"]);
  });
}

test("modes, times, links and names come out as they were packed", () =>
  withUnpacked(
    [
      { name: "./", type: "directory" },
      { name: "locked", type: "directory", mode: 0o555 },
      { name: "locked/run", mode: 0o755, text: "x", mtime: new Date(1000) },
      { name: "deep/er/a", text: "a" },
      { name: "/absolute", text: "in" },
      { name: "link", type: "symlink", linkname: "deep/../locked" },
      { name: "far", type: "symlink", linkname: "/etc/passwd" },
      { name: "hard", type: "link", linkname: "deep/er/a" },
      { name: "twice", text: "first" },
      { name: "twice", text: "last" },
    ],
    async (context, unpacking) => {
      await unpacking;
      const { mode, mtimeMs } = await stat(join(context, "locked/run"));
      expect([mode & 0o7777, mtimeMs]).toEqual([0o755, 1000]);
      expect((await stat(join(context, "locked"))).mode & 0o7777).toBe(0o555);
      expect((await stat(join(context, "deep/er"))).mode & 0o7777).toBe(0o755);
      expect(await readFile(join(context, "absolute"), "utf8")).toBe("in");
      expect(await readFile(join(context, "twice"), "utf8")).toBe("last");
      expect(await readlink(join(context, "link"))).toBe("deep/../locked");
      expect((await stat(join(context, "hard"))).nlink).toBe(2);
    },
  ));

const hostile: readonly (readonly [string, readonly Entry[], string])[] = [
  ["a path with ..", [{ name: "a/../../outside", text: "x" }], "contains a"],
  [
    "a path through a link",
    [
      { name: "up", type: "symlink", linkname: "/tmp" },
      { name: "up/outside", text: "x" },
    ],
    "which is not a directory",
  ],
  [
    "a link that leads out",
    [{ name: "a/b", type: "symlink", linkname: "../../outside" }],
    "leads out",
  ],
  [
    "a directory through a link",
    [
      { name: "up", type: "symlink", linkname: "/tmp" },
      { name: "up", type: "directory" },
    ],
    "and something else",
  ],
  [
    "a hard link to what is outside",
    [{ name: "a", type: "link", linkname: "../outside" }],
    "contains a",
  ],
  [
    "a hard link through a link",
    [
      { name: "up", type: "symlink", linkname: "/etc" },
      { name: "a", type: "link", linkname: "up/passwd" },
    ],
    "no file of that path",
  ],
  [
    "a hard link to a link",
    [
      { name: "up", type: "symlink", linkname: "/etc/passwd" },
      { name: "a", type: "link", linkname: "up" },
    ],
    "no file of that path",
  ],
  ["a device", [{ name: "a", type: "character-device", devmajor: 1, devminor: 3 }], "is a device"],
  ["a FIFO", [{ name: "a", type: "fifo" }], "is a FIFO"],
  [
    "a file over a directory",
    [
      { name: "a/b", text: "x" },
      { name: "a", text: "y" },
    ],
    "and something else",
  ],
];

test.each(hostile)("%s is refused, and nothing is written outside", (_, entries, reason) =>
  withUnpacked(entries, async (_context, unpacking) => {
    await expect(unpacking).rejects.toThrow(
      expect.objectContaining({
        code: "context-archive-invalid",
        message: expect.stringContaining(reason),
      }),
    );
  }),
);

test("what a file replaces is a link, and not where that leads", () =>
  withUnpacked(
    [
      { name: "a", type: "symlink", linkname: "b" },
      { name: "b", text: "b" },
      { name: "a", text: "a" },
    ],
    async (context, unpacking) => {
      await unpacking;
      expect(await readFile(join(context, "b"), "utf8")).toBe("b");
      expect(await readFile(join(context, "a"), "utf8")).toBe("a");
    },
  ));

test.each([
  ["gzip", ["gzip", "-c"]],
  ["zstd", ["zstd", "-qc"]],
  ["bzip2", ["bzip2", "-c"]],
  ["xz", ["xz", "-c"]],
])("%s is read, and refused where it is cut", async (packing, [program = "", ...words]) => {
  const make = async (path: string): Promise<void> => {
    await writeTar(`${path}.tar`, [{ name: "a", text: "hello".repeat(100_000) }]);
    const options = { encoding: "buffer", maxBuffer: 1024 ** 2 } as const;
    const { stdout } = await run(program, [...words, `${path}.tar`], options);
    await run("rm", [`${path}.tar`]);
    await writeFile(path, stdout);
    expect(detectPacking(path)).toBe(packing);
  };
  await withUnpacked(make, async (context, unpacking) => {
    await unpacking;
    expect((await stat(join(context, "a"))).size).toBe(500_000);
  });
  const cut = async (path: string): Promise<void> => {
    await make(path);
    await writeFile(path, (await readFile(path)).subarray(0, -12));
  };
  await withUnpacked(cut, async (_, unpacking) => {
    await expect(unpacking).rejects.toMatchObject({ code: "context-archive-invalid" });
  });
});

const makeSparse =
  (size: string) =>
  async (path: string): Promise<void> => {
    const file = `${path}-sparse`;
    await run("truncate", ["-s", size, file]);
    const script =
      'printf start | dd of="$1" conv=notrunc status=none; printf end >>"$1"; tar -C "${1%/*}" -Scf "$2" "${1##*/}"; rm "$1"';
    await run("sh", ["-c", script, "sh", file, path]);
  };

test("a sparse file keeps its holes, and one that is larger than anybody's is refused", async () => {
  await withUnpacked(makeSparse("100M"), async (context, unpacking) => {
    await unpacking;
    const path = join(context, "archive-sparse");
    const { size, blocks } = await stat(path);
    expect(size).toBe(100 * 1024 ** 2 + 3);
    expect(blocks).toBeLessThan(1000);
    const content = await readFile(path);
    expect(content.subarray(0, 6).toString()).toBe("start\0");
    expect(content.subarray(-4).toString()).toBe("\0end");
  });
  await withUnpacked(makeSparse("2G"), async (_, unpacking) => {
    await expect(unpacking).rejects.toThrow("expands to more than");
  });
});

test.each([
  ["a Containerfile", "FROM scratch\n".repeat(60)],
  ["a short one", "FROM scratch\n"],
  ["none", ""],
])("%s is no archive", (_, text) =>
  withTemporaryDirectory(async (directory) => {
    const path = join(directory, "file");
    await writeFile(path, text);
    expect(detectPacking(path)).toBeUndefined();
  }),
);

test("what is named in a context is in it", () =>
  withTemporaryDirectory(async (directory) => {
    const context = join(directory, "context");
    await mkdir(join(context, "a"), { recursive: true });
    await writeFile(join(context, "a", "f"), "");
    await symlink("/etc/passwd", join(context, "out"));
    await symlink("a/f", join(context, "in"));
    expect(findInside(context, "in", "it")).toMatch(/context\/a\/f$/);
    expect(findInside(context, "b", "it")).toBeUndefined();
    for (const path of ["out", "../..", "a/../.."])
      expect(() => findInside(context, path, "it")).toThrow("leads out of the context it");
  }));
