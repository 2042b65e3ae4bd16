import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { rawEntry, rawPax, rawTar } from "../../../test/support/layers/raw-tar.ts";
import {
  codeOf,
  collectReceived,
  createReception,
  directory,
  file,
  hardLink,
  layers,
  receive,
  symlink,
  take,
  tree,
} from "../../../test/support/layers/receive.ts";

describe("paths that lead elsewhere", () => {
  it.each([
    "../bystander",
    "layers/../../bystander",
    "layers/a/../../../bystander",
    "..",
    "layers/..",
    "blobs/sha256/../../../bystander",
    "state/../../bystander",
  ])("%s is refused", async (name) => {
    expect(await codeOf(layers, tree("a"), file(name, "evil"))).toBe("layer-tar-path-escape");
  });

  it.each(["/etc/xbuild-evil", "//layers/a/x", "/layers/a/x", "./layers/./a//x"])(
    "%s is a path of the output",
    async (name) => {
      const code = await codeOf(layers, tree("a"), file(name, "good"));
      expect(code).toBeUndefined();
      expect(existsSync("/etc/xbuild-evil")).toBe(false);
    },
  );

  it.each(["../../bystander", "/etc/passwd", "layers/../../bystander"])(
    "a hard link to %s is refused",
    async (link) => {
      for (const name of ["layers/a/x", "blobs/x", "history.json", "state", "layers/a.tar"])
        expect(await codeOf(layers, tree("a"), directory("blobs"), hardLink(name, link))).toBe(
          "layer-tar-path-escape",
        );
    },
  );

  it("a name in an extended header is judged like any", async () => {
    const pax = rawPax([["path", "../../bystander"]]);
    expect(await codeOf(pax, file("short"))).toBe("layer-tar-path-escape");
    const long = rawEntry({ name: "././@LongLink", type: "L", data: "../bystander\0" });
    expect(await codeOf(long, file("short"))).toBe("layer-tar-path-escape");
    expect(await codeOf(rawPax([["path", "a\0b"]]), file("short"))).toBe("layer-tar-broken");
  });
});

describe("what stands in the way", () => {
  const blobs = directory("blobs");
  it.each<readonly [string, readonly Buffer[]]>([
    ["a file twice", [file("history.json"), file("history.json")]],
    ["a tree twice", [layers, tree("a"), tree("b"), tree("a")]],
    ["a tree where a file was", [layers, file("layers/a"), tree("a")]],
    ["a file where a tree was", [layers, tree("a"), file("layers/a")]],
    ["a directory where a file was", [blobs, file("blobs/sha256"), directory("blobs/sha256")]],
    ["a file where a directory was", [blobs, file("blobs")]],
    ["a file in a file", [file("blobs"), file("blobs/x")]],
    ["a directory in a file", [file("state"), directory("state/x")]],
    ["a file without its directory", [file("blobs/sha256/x")]],
    ["a file of a tree that never came", [layers, file("layers/a/x")]],
    ["a tree without its directory", [tree("a")]],
    ["a file of a tree behind another one's", [layers, tree("a"), tree("b"), file("layers/a/x")]],
    [
      "a file of a tree behind a file that stands alone",
      [layers, tree("a"), file("layers/b.tar"), file("layers/a/x")],
    ],
    ["a hard link where a file was", [file("a"), file("b"), hardLink("a", "b")]],
    ["a name that no file system has", [file(`blobs/${"n".repeat(90)}/${"n".repeat(5)}`)]],
    ["a name that is too long", [rawPax([["path", "n".repeat(300)]]), file("x")]],
    [
      "a tree whose name is too long",
      [layers, rawPax([["path", `layers/${"n".repeat(300)}`]]), tree("a")],
    ],
    ["a path that is too long", [rawPax([["path", "n/".repeat(2500)]]), file("x")]],
  ])("%s is refused", async (_, parts) => {
    expect(await codeOf(...parts)).toBe("layer-tar-broken");
  });

  it("a path of a tree that comes twice is refused when it is collected", async () => {
    const reception = await receive(layers, tree("a"), file("layers/a/x"), file("layers/a/x"));
    await expect(collectReceived(reception)).rejects.toMatchObject({
      code: "layer-tar-duplicate-path",
    });
  });

  it("a file in a link of a tree is refused when it is collected", async () => {
    const reception = await receive(
      layers,
      tree("a"),
      symlink("layers/a/d", "/etc"),
      file("layers/a/d/x"),
    );
    await expect(collectReceived(reception)).rejects.toMatchObject({
      code: "layer-tar-path-through-link",
    });
  });
});

it("what is there before is not followed", async () => {
  const reception = createReception();
  const elsewhere = join(reception.directory, "elsewhere");
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, "kept"), "kept");
  execFileSync("ln", ["-s", elsewhere, join(reception.output, "state")]);
  await take(reception, rawTar(directory("state"), file("state/kept", "evil")));
  expect(readFileSync(join(elsewhere, "kept"), "utf8")).toBe("kept");
  expect(readFileSync(join(reception.output, "state/kept"), "utf8")).toBe("evil");
});
