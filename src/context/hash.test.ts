import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmod,
  link,
  mkdir,
  readFile,
  rename,
  rm,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test, vi } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { compareContexts } from "./compare.ts";
import { hashContext, type ContextHash } from "./hash.ts";
import { decodeName, encodePath } from "./names.ts";

const run = promisify(execFile);
const keepAll = { ignore: () => false };
const old = new Date("2020-01-01T00:00:00Z");

function sha(content: string | Uint8Array): string {
  return createHash("sha256").update(content).digest("hex");
}

function ignoreMost(path: string): boolean {
  return path.startsWith("src") && path !== "src/b";
}

function listPaths({ files }: ContextHash): readonly string[] {
  return Array.from(files, ([path]) => path);
}

/** A small context, and a cache file beside it. */
function withContext(action: (directory: string, cache: string) => Promise<void>): Promise<void> {
  return withTemporaryDirectory(async (temporary) => {
    const directory = join(temporary, "context");
    await mkdir(join(directory, "src"), { recursive: true });
    await writeFile(join(directory, "a"), "alpha");
    await writeFile(join(directory, "src", "b"), "beta", { mode: 0o755 });
    await symlink("a", join(directory, "link"));
    await mkdir(join(directory, "empty"));
    await action(directory, join(temporary, "cache", "stat"));
  });
}

/** As `hashContext`, at a time when all changes so far are long past. */
async function hashLater(directory: string, cache: string): Promise<ContextHash> {
  vi.spyOn(Date, "now").mockReturnValue(new Date().getTime() + 60_000);
  try {
    return await hashContext(directory, { ...keepAll, cache });
  } finally {
    vi.restoreAllMocks();
  }
}

test("every path is described by kind, mode and content", () =>
  withContext(async (directory) => {
    const { files, read } = await hashContext(directory, keepAll);
    expect([...files]).toEqual([
      ["a", `file 644 ${sha("alpha")}`],
      ["empty", "directory 755"],
      ["link", "link 777 a"],
      ["src", "directory 755"],
      ["src/b", `file 755 ${sha("beta")}`],
    ]);
    expect(read).toBe(2);
  }));

const changes: readonly [string, (directory: string) => Promise<void>, string][] = [
  ["content", (root) => writeFile(join(root, "a"), "alphA"), "content a"],
  ["mode", (root) => chmod(join(root, "a"), 0o600), "mode a"],
  ["an added file", (root) => writeFile(join(root, "new"), ""), "added new"],
  ["a removed file", (root) => rm(join(root, "a")), "removed a"],
  ["a link's target", (root) => replaceLink(join(root, "link")), "content link"],
  ["an empty directory", (root) => rm(join(root, "empty"), { recursive: true }), "removed empty"],
  ["a directory's mode", (root) => chmod(join(root, "src"), 0o700), "mode src"],
  ["a file become a link", (root) => replaceLink(join(root, "a")), "kind a"],
];

test.each([
  ["a capability", "a", ["setcap", "cap_net_raw=ep"]],
  ["an attribute without a value", "src/b", ["setfattr", "-n", "user.a"]],
  ["an attribute of a directory", "src", ["setfattr", "-n", "user.a", "-v", "b"]],
])(
  "%s changes the digest, and is taken from the cache the next time",
  (_what, name, [program = "", ...words]) =>
    withContext(async (directory, cache) => {
      const before = await hashLater(directory, cache);
      await run(program, [...words, join(directory, name)]);
      const after = await hashLater(directory, cache);
      const named = [...compareContexts(before.files, after.files)];
      expect(named).toEqual([{ path: name, what: "attributes" }]);
      expect((await hashLater(directory, cache)).digest).toBe(after.digest);
      expect((await hashContext(directory, keepAll)).digest).toBe(after.digest);
    }),
);

test.each([
  [["src"], ["src", "src/b"]],
  [["src/b", "src/b"], ["src/b"]],
  [
    ["src", "src/b", "a"],
    ["a", "src", "src/b"],
  ],
  [["none", "a/none"], []],
  [["link"], ["a", "empty", "link", "src", "src/b"]],
  [["link/x"], ["a", "empty", "link", "src", "src/b"]],
  [
    ["a", ""],
    ["a", "empty", "link", "src", "src/b"],
  ],
])("of %j alone: %j", (only, expected) =>
  withContext(async (directory, cache) => {
    const hash = await hashContext(directory, { ...keepAll, only, cache });
    expect(listPaths(hash)).toEqual(expected);
    expect((await hashContext(directory, { ...keepAll, only, cache })).digest).toBe(hash.digest);
  }),
);

function ignoreSource(path: string): boolean {
  return path === "src";
}

test("what is ignored is so also where it is named", () =>
  withContext(async (directory) => {
    const hash = async (hasExceptions: boolean): Promise<readonly string[]> => {
      const options = { ignore: ignoreSource, hasExceptions, only: ["src/b", "a"] };
      return listPaths(await hashContext(directory, options));
    };
    expect(await hash(false)).toEqual(["a"]);
    expect(await hash(true)).toEqual(["a", "src/b"]);
  }));

async function replaceLink(path: string): Promise<void> {
  await rm(path);
  await symlink("src/b", path);
}

test.each(changes)("a change of %s changes the digest and is named", (_what, change, expected) =>
  withContext(async (directory, cache) => {
    const before = await hashLater(directory, cache);
    await change(directory);
    const after = await hashContext(directory, { ...keepAll, cache });
    expect(after.digest).not.toBe(before.digest);
    const named = [...compareContexts(before.files, after.files)];
    expect(named.map(({ what, path }) => `${what} ${path}`)).toEqual([expected]);
    expect((await hashContext(directory, keepAll)).digest).toBe(after.digest);
  }),
);

test("times, owners and hard links are not in the digest", () =>
  withContext(async (directory) => {
    const before = await hashContext(directory, keepAll);
    await utimes(join(directory, "a"), old, old);
    await link(join(directory, "a"), join(directory, "..", "other"));
    expect((await hashContext(directory, keepAll)).digest).toBe(before.digest);
  }));

test("names of one file are told, whatever else has the file", () =>
  withContext(async (directory) => {
    await link(join(directory, "a"), join(directory, "src", "c"));
    const { files } = await hashContext(directory, keepAll);
    expect(new Map(files).get("a")).toBe(`file 644 ${sha("alpha")}`);
    expect(new Map(files).get("src/c")).toBe(`file 644,=a ${sha("alpha")}`);
  }));

test("names of one file are told also where the first of them is no UTF-8", () =>
  withContext(async (directory) => {
    await link(join(directory, "a"), encodePath(`${directory}/\uDCE9, b`));
    await link(join(directory, "a"), join(directory, "b"));
    await rm(join(directory, "a"));
    await link(join(directory, "b"), `${directory}/~`);
    const files = new Map(
      (await hashContext(directory, { ...keepAll, only: ["\uDCE9, b", "~"] })).files,
    );
    expect(files.get("~")).toBe(`file 644 ${sha("alpha")}`);
    expect(files.get("\uDCE9, b")).toBe(`file 644,=~ ${sha("alpha")}`);
    await link(join(directory, "b"), encodePath(`${directory}/\uDCE9, c`));
    const odd = await hashContext(directory, { ...keepAll, only: ["\uDCE9, b", "\uDCE9, c"] });
    expect(new Map(odd.files).get("\uDCE9, c")).toBe(`file 644,=%udce9,%20b ${sha("alpha")}`);
  }));

test("owners and the root count where that is asked for", () =>
  withContext(async (directory) => {
    const { files } = await hashContext(directory, {
      ...keepAll,
      withOwners: true,
      withRoot: true,
    });
    const owner = `${process.getuid?.()}:${process.getgid?.()}`;
    expect([...files].slice(0, 2)).toEqual([
      ["", `directory 755,${owner}`],
      ["a", `file 644,${owner} ${sha("alpha")}`],
    ]);
  }));

test("attributes count beside a root that is listed, and of a root alone", () =>
  withContext(async (directory) => {
    const options = { ...keepAll, withRoot: true };
    for (const [root, path, name] of [
      [directory, "src/b", "src/b"],
      [directory, "", ""],
      [join(directory, "a"), "", ""],
    ] as const) {
      const before = await hashContext(root, options);
      await run("setfattr", ["-n", "user.a", "-v", "b", join(root, path)]);
      const after = await hashContext(root, options);
      const named = [...compareContexts(before.files, after.files)];
      expect(named).toEqual([{ path: name, what: "attributes" }]);
    }
  }));

test("with a cache, what has not changed is not read again", () =>
  withContext(async (directory, cache) => {
    expect((await hashLater(directory, cache)).read).toBe(2);
    expect((await hashLater(directory, cache)).read).toBe(0);
    await writeFile(join(directory, "a"), "other");
    expect((await hashLater(directory, cache)).read).toBe(1);
  }));

test("a change that leaves size, mtime and inode as they were is found by its ctime", () =>
  withContext(async (directory, cache) => {
    const path = join(directory, "a");
    await utimes(path, old, old);
    const before = await hashLater(directory, cache);
    await writeFile(path, "alphb");
    await utimes(path, old, old);
    expect((await hashContext(directory, { ...keepAll, cache })).digest).not.toBe(before.digest);
  }));

test("a file that another of the same size and time replaces is found by its inode", () =>
  withContext(async (directory, cache) => {
    const before = await hashLater(directory, cache);
    const other = join(directory, "..", "other");
    await writeFile(other, "gamma");
    await rename(other, join(directory, "a"));
    expect((await hashContext(directory, { ...keepAll, cache })).digest).not.toBe(before.digest);
  }));

test("a file that changed within the clock's step is read again", () =>
  withContext(async (directory, cache) => {
    expect((await hashContext(directory, { ...keepAll, cache })).read).toBe(2);
    expect((await hashContext(directory, { ...keepAll, cache })).read).toBe(2);
  }));

test("with the clock set back, nothing that looks new is believed", () =>
  withContext(async (directory, cache) => {
    vi.spyOn(Date, "now").mockReturnValue(old.getTime());
    await hashContext(directory, { ...keepAll, cache });
    expect((await hashContext(directory, { ...keepAll, cache })).read).toBe(2);
    vi.restoreAllMocks();
  }));

test.each([
  ["cut", (bytes: Buffer) => bytes.subarray(0, -2)],
  ["flipped", (bytes: Buffer) => Buffer.concat([bytes.subarray(0, -1), Buffer.from([1])])],
  ["empty", () => Buffer.alloc(0)],
])("a cache that was %s counts as none", (_what, damage) =>
  withContext(async (directory, cache) => {
    const before = await hashLater(directory, cache);
    await writeFile(cache, damage(await readFile(cache)));
    const after = await hashLater(directory, cache);
    expect([after.read, after.digest]).toEqual([2, before.digest]);
  }),
);

test("ignored paths are left out; an ignored directory is there for what is kept in it", () =>
  withContext(async (directory) => {
    const kept = await hashContext(directory, { ignore: ignoreMost });
    expect(listPaths(kept)).toEqual(["a", "empty", "link", "src", "src/b"]);
    const skipped = await hashContext(directory, {
      ignore: ignoreMost,
      hasExceptions: false,
    });
    expect(listPaths(skipped)).toEqual(["a", "empty", "link"]);
    const all = await hashContext(directory, { ignore: (path) => path.startsWith("src") });
    expect(all.digest).toBe(skipped.digest);
  }));

test("large files are hashed as they are streamed, small ones as they are", () =>
  withContext(async (directory) => {
    const bytes = Buffer.alloc(3 * 1024 * 1024, "x");
    await writeFile(join(directory, "large"), bytes);
    const { files } = await hashContext(directory, keepAll);
    expect(new Map(files).get("large")).toBe(`file 644 ${sha(bytes)}`);
  }));

test("a single file, a FIFO and a name that is no UTF-8 are taken as they are", () =>
  withContext(async (directory) => {
    const single = await hashContext(join(directory, "a"), keepAll);
    expect(listPaths(single)).toEqual([""]);
    await run("mkfifo", ["-m", "600", join(directory, "fifo")]);
    const name = Buffer.concat([Buffer.from(`${directory}/odd-`), Buffer.from([0xe9, 0xff])]);
    await writeFile(name, "odd");
    const { files } = await hashContext(directory, keepAll);
    expect(new Map(files).get("fifo")).toMatch(/^other 600 /);
    expect(new Map(files).get("odd-\uDCE9\uDCFF")).toMatch(/^file 644 [0-9a-f]{64}$/);
  }));

test.each([
  [[0x61, 0xff, 0xc3, 0xa9]],
  [[0xef, 0xbf, 0xbd]],
  [[0xed, 0xb2, 0x80]],
  [[0xf0, 0x9f, 0x98, 0x80, 0xf0, 0x9f]],
])("the name of bytes %j comes back", (bytes) => {
  const name = Buffer.from(bytes);
  expect(Buffer.from(encodePath(decodeName(name)))).toEqual(name);
});

test("a directory that is not there is an error", async () => {
  await expect(hashContext("/nowhere/at/all", keepAll)).rejects.toMatchObject({ code: "ENOENT" });
});

test("the root counts where it shall, also where a link leads to all of it", () =>
  withContext(async (directory) => {
    const options = { ...keepAll, withRoot: true, only: ["link/x"] };
    const before = await hashContext(directory, options);
    expect(listPaths(before)).toEqual(["", "a", "empty", "link", "src", "src/b"]);
    await chmod(directory, 0o700);
    expect((await hashContext(directory, options)).digest).not.toBe(before.digest);
  }));

test("a cache is none where a file stands in the place of its directory", () =>
  withTemporaryDirectory(async (root) => {
    await mkdir(join(root, "tree"));
    await writeFile(join(root, "tree/file"), "text");
    await writeFile(join(root, "cache"), "");
    const cache = join(root, "cache/stat");
    expect((await hashContext(join(root, "tree"), { ...keepAll, cache })).read).toBe(1);
  }));
