import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { encodeEntry, type Entry } from "../../archive/archive.ts";
import { completeArchive } from "./complete-archive.ts";
import { describeEntries } from "./read-archive.ts";

function entry(path: string, more: Partial<Entry> = {}): Entry {
  const none = { mode: 0o644, uid: 0, gid: 0, mtime: 5, size: 0, link: "", xattrs: [] };
  return { path, type: "file", deviceMajor: 0, deviceMinor: 0, ...none, ...more };
}

async function complete(entries: readonly Entry[]): Promise<readonly string[]> {
  const path = join(mkdtempSync(join(tmpdir(), "archive-")), "x.tar");
  const blocks: Buffer[] = [];
  for (const one of entries)
    encodeEntry(one, one.mtime, (bytes) => blocks.push(Buffer.from(bytes)));
  writeFileSync(path, Buffer.concat([...blocks, Buffer.alloc(1024)]));
  const facts = describeEntries(entries);
  await completeArchive(path, facts, (name) =>
    name === "tmp" ? { mode: 0o1777, uid: 3, gid: 4 } : undefined,
  );
  const words = ["--numeric-owner", "--full-time", "-tvf", path];
  const { stdout } = await execa("tar", words, { env: { TZ: "UTC" } });
  return stdout.split("\n").map((line) => line.replaceAll(/ +/g, " "));
}

const time = "1970-01-01 00:00:05";

test("directories that nobody wrote an entry for stand behind, the deepest first, as they are elsewhere", async () => {
  expect(await complete([entry("tmp/a/b")])).toEqual([
    `-rw-r--r-- 0/0 0 ${time} tmp/a/b`,
    `drwxr-xr-x 0/0 0 ${time} tmp/a/`,
    `drwxrwxrwt 3/4 0 ${time} tmp/`,
  ]);
});

test("links to files with attributes stand there once more", async () => {
  const capability = ["security.capability", "\u{1}\u{2}"] as const;
  const lines = await complete([
    entry("a", { xattrs: [capability] }),
    entry("b", { type: "hard-link", link: "a" }),
    entry("c"),
    entry("d", { type: "hard-link", link: "c" }),
  ]);
  expect(lines).toHaveLength(5);
  expect(lines.at(-1)).toBe(`hrw-r--r-- 0/0 0 ${time} b link to a`);
});

test("an archive that lacks nothing stays as it is", async () => {
  const whole = [entry("d", { type: "directory", mode: 0o700 }), entry("d/f")];
  expect(await complete(whole)).toHaveLength(2);
});

test("what layers take away, and what is lost of them", () => {
  const facts = describeEntries([
    entry("d/.wh.gone"),
    entry("d/.wh..wh..opq"),
    entry("x", { xattrs: [["user.a", "1"]] }),
    entry("y", { xattrs: [["security.capability", "1"]] }),
  ]);
  expect(facts.removed).toEqual(["d/gone"]);
  expect(facts.lost).toEqual(["x"]);
  expect(describeEntries([]).isEmpty).toBe(true);
});
