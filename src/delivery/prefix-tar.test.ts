import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { finished, pipeline } from "node:stream/promises";
import { extract, pack, type Header } from "tar-stream";
import { execa } from "execa";
import { link, mkdir, readFile, readlink, stat, symlink, writeFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { prefixTar, tarEnd } from "./prefix-tar.ts";

async function prefix(path: string, directory = "linux_arm64"): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of prefixTar(path, directory)) chunks.push(chunk);
  return Buffer.concat([...chunks, tarEnd]);
}

async function list(tar: Buffer): Promise<readonly Header[]> {
  const headers: Header[] = [];
  const reader = extract();
  reader.on("entry", (header, stream, next) => {
    headers.push(header);
    stream.resume();
    stream.on("end", next);
  });
  reader.end(tar);
  await finished(reader);
  return headers;
}

test.each(["posix", "gnu", "ustar"])(
  "what GNU tar writes as %s comes out the same, in a directory",
  (format) =>
    withTemporaryDirectory(async (directory) => {
      const tree = join(directory, "tree");
      const deep = format === "ustar" ? "d".repeat(60) : "d".repeat(120);
      await mkdir(join(tree, deep, "more"), { recursive: true });
      await writeFile(join(tree, deep, "more", "file"), "content");
      await writeFile(join(tree, "large"), Buffer.alloc(3 * 1024 * 1024 + 7, 1));
      await link(join(tree, deep, "more", "file"), join(tree, "linked"));
      await symlink(`/${deep}/more/file`, join(tree, "symbolic"));
      const file = join(directory, "a.tar");
      await execa("tar", [`--format=${format}`, "-cf", file, "-C", tree, "."]);
      const out = join(directory, "out");
      await mkdir(out);
      await writeFile(join(directory, "b.tar"), await prefix(file));
      await execa("tar", ["-xf", join(directory, "b.tar"), "-C", out]);
      const root = join(out, "linux_arm64");
      await execa("bash", ["-c", `diff -r --no-dereference "$0" "$1"`, tree, root]);
      expect(await readlink(join(root, "symbolic"))).toBe(`/${deep}/more/file`);
      const inodes = await Promise.all(
        [join(root, "linked"), join(root, deep, "more", "file")].map(
          async (one) => (await stat(one)).ino,
        ),
      );
      expect(inodes[0]).toBe(inodes[1]);
      expect((await readFile(join(root, "large"))).length).toBe(3 * 1024 * 1024 + 7);
    }),
);

test("extended attributes stay byte for byte, names of any spelling are the same path", () =>
  withTemporaryDirectory(async (directory) => {
    const archive = pack();
    const pax = { "SCHILY.xattr.user.a": "v=\n1", path: "./old/name" };
    archive.entry({ name: "./old/name", mode: 0o4755, uid: 5, pax }, "x");
    archive.entry({ name: "/absolute", mode: 0o644 }, "y");
    archive.entry({ name: "hard", type: "link", linkname: "./old/name" });
    archive.finalize();
    const file = join(directory, "a.tar");
    await pipeline(archive, createWriteStream(file));
    const headers = await list(await prefix(file, "p"));
    expect(headers.map(({ name, linkname }) => [name, linkname])).toEqual([
      ["p/", null],
      ["p/old/name", null],
      ["p/absolute", null],
      ["p/hard", "p/old/name"],
    ]);
    expect(headers[1]).toMatchObject({ mode: 0o4755, uid: 5 });
    expect(headers[1]?.pax).toMatchObject({ "SCHILY.xattr.user.a": "v=\n1" });
  }));
