import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collect, digestOf } from "../../../test/support/layers/fixtures.ts";
import { type RawEntry, rawEntry } from "../../../test/support/layers/raw-tar.ts";
import {
  codeOf,
  collectReceived,
  directory,
  file,
  hardLink,
  layers,
  listLayer,
  receive,
  tree,
} from "../../../test/support/layers/receive.ts";
import { XbuildError } from "../../errors.ts";

describe("what is no file", () => {
  const special: readonly (readonly [string, RawEntry])[] = [
    ["a symbolic link", { type: "2", link: "/etc/passwd" }],
    ["a character device", { type: "3", patches: { 329: "0000001", 337: "0000003" } }],
    ["a block device", { type: "4", patches: { 329: "0000010", 337: "0000001" } }],
    ["a FIFO", { type: "6" }],
  ];
  const digest = digestOf(Buffer.from("x")).slice(7);
  const before = [directory("blobs"), directory("blobs/sha256"), layers, directory("state")];

  describe.each(special)("%s", (_, entry) => {
    it.each([
      "history.json",
      "history.jsonl",
      "config.json",
      "annotations.json",
      "blobs",
      "layers",
      "state",
    ])("is refused at %s", async (name) => {
      expect(await codeOf(rawEntry({ ...entry, name }))).toBe("output-file-type");
    });

    it.each([
      `blobs/sha256/${digest}`,
      "blobs/sha256/x",
      "layers/a",
      "layers/a.tar",
      "layers/a.keep",
    ])("is refused at %s", async (name) => {
      expect(await codeOf(...before, rawEntry({ ...entry, name }))).toBe("output-file-type");
    });

    it("is left out of the state", async () => {
      const { output } = await receive(...before, rawEntry({ ...entry, name: "state/x" }));
      expect(readdirSync(join(output, "state"))).toEqual([]);
    });

    it.each(["else", "blobs/else"])("is nothing but a name at %s", async (name) => {
      const reception = await receive(
        ...before,
        rawEntry({ ...entry, name }),
        tree("a"),
        file("layers/a/x"),
      );
      expect(statSync(join(reception.output, name)).size).toBe(0);
      const { warnings } = await collectReceived(reception);
      expect(warnings.map(({ code, file: place }) => [code, place])).toEqual([
        ["output-unknown-file", `output/${name}`],
      ]);
    });

    it("is an entry of a tree, and of no file system", async () => {
      const reception = await receive(
        layers,
        tree("a"),
        rawEntry({ ...entry, name: "layers/a/x" }),
      );
      const isDevice = entry.type === "3" || entry.type === "4";
      const [said] = await collectReceived(reception).then(
        (output) => listLayer(output),
        (error: unknown) => [error instanceof XbuildError ? error.code : ""],
      );
      expect(said).toMatch(isDevice ? /^layer-tar-device$/ : /^[lp] 0 x/);
    });

    it("has other names in other trees", async () => {
      const { output, received } = await receive(
        layers,
        tree("a"),
        rawEntry({ ...entry, name: "layers/a/x" }),
        tree("b"),
        hardLink("layers/b/y", "layers/a/x"),
        hardLink("layers/b/z", "layers/a/x"),
      );
      const collected = await collect(output, {
        findTree: received.findTree,
        compression: "none",
        allowDevices: true,
      });
      const [first = ""] = listLayer(collected, 0);
      const names = ["y", "z"].map((name) => first.replace(/ x( |$)/, ` ${name}$1`));
      expect(listLayer(collected, 1)).toEqual(names);
    });

    it("is no document by way of a hard link", async () => {
      const parts = [layers, tree("a"), rawEntry({ ...entry, name: "layers/a/x" })];
      expect(await codeOf(...parts, hardLink("history.json", "layers/a/x"))).toBe(
        "output-file-type",
      );
    });
  });

  it.each(["D", "M", "N", "V", "8", "\n"])("an entry of the type %j is refused", async (type) => {
    expect(await codeOf(rawEntry({ name: "x", type }))).toBe("layer-tar-entry-type");
  });
});
