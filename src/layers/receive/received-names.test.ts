import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { layersOf } from "../../../test/support/layers/fixtures.ts";
import { rawEntry, rawPax } from "../../../test/support/layers/raw-tar.ts";
import {
  codeOf,
  collectReceived,
  directory,
  file,
  layers,
  listLayer,
  receive,
  tree,
} from "../../../test/support/layers/receive.ts";

describe("names", () => {
  it("need not be UTF-8, and may be long", async () => {
    const long = `${"d".repeat(200)}/${"e".repeat(200)}/${"f".repeat(200)}`;
    const reception = await receive(
      layers,
      tree("a"),
      file("layers/a/\xff\xfe", "one"),
      file("layers/a/ -n'\"$`\\", "two"),
      rawPax([["path", `layers/a/${long}`]]),
      file("short", "three"),
      rawEntry({ name: "././@LongLink", type: "L", data: `layers/a/g${"h".repeat(250)}\0` }),
      file("short", "four"),
      file("layers/a/new\nline", "five"),
    );
    const collected = await collectReceived(reception);
    expect(listLayer(collected)).toEqual([
      "- 3 \\ -n'\"$`\\\\".replace("\\ ", " "),
      `- 5 ${long}`,
      `- 4 g${"h".repeat(250)}`,
      "- 4 new\\nline",
      "- 3 \\377\\376",
    ]);
  });

  it.each(["layers/\xff", "blobs/sha256/\xff"])("%j is told of", async (name) => {
    const reception = await receive(
      directory("blobs"),
      directory("blobs/sha256"),
      layers,
      file(`${name}.tar`),
    );
    await expect(collectReceived(reception)).rejects.toMatchObject({
      code: name.startsWith("layers") ? "output-name-invalid" : "blob-name-invalid",
    });
  });

  it("attributes come through, those of the machine do not", async () => {
    const reception = await receive(
      layers,
      tree("a"),
      rawPax([
        ["SCHILY.xattr.user.note", "a=b\nc\xff"],
        ["SCHILY.xattr.security.selinux", "label"],
        ["SCHILY.xattr.trusted.overlay.opaque", "y"],
      ]),
      file("layers/a/x"),
    );
    const path = layersOf(await collectReceived(reception))[0]?.blob?.path ?? "";
    const text = readFileSync(path, "latin1");
    expect(text).toContain("SCHILY.xattr.user.note=a=b\nc\xff\n");
    expect(text).not.toMatch(/selinux|overlay/);
  });

  it("times before 1970 and after everybody's end do no harm", async () => {
    for (const time of ["-1000000000.5", "999999999999999", "0.999"]) {
      const parts = [directory("state"), rawPax([["mtime", time]]), file("state/x")];
      expect(await codeOf(...parts)).toBeUndefined();
      const tree2 = [layers, tree("a"), rawPax([["mtime", time]]), file("layers/a/x")];
      const collected = await collectReceived(await receive(...tree2));
      expect(listLayer(collected)).toEqual(["- 1 x"]);
    }
  });
});

describe("trees that are left for people", () => {
  it("are archives in the place of their directories", async () => {
    const { output, received } = await receive(
      layers,
      tree("a"),
      file("layers/a/x"),
      tree("b"),
      file("layers/b.tar", "mine"),
    );
    received.settleTrees();
    expect(readdirSync(join(output, "layers")).sort()).toEqual(["a.tar", "b", "b.tar"]);
    expect(readFileSync(join(output, "layers/b.tar"), "utf8")).toBe("mine");
    expect(execFileSync("tar", ["-tf", join(output, "layers/a.tar")], { encoding: "utf8" })).toBe(
      "x\n",
    );
    expect(received.findTree("a")).toBeUndefined();
  });

  it("have a name whatever it was", async () => {
    const name = "n".repeat(253);
    const { output, received } = await receive(
      layers,
      rawPax([["path", `layers/${name}`]]),
      tree("a"),
      tree("\xff"),
    );
    received.settleTrees();
    const names = readdirSync(join(output, "layers"), { encoding: "buffer" });
    expect(names.map((one) => one.toString("latin1")).sort()).toEqual([name, "\xff.tar"]);
  });
});
