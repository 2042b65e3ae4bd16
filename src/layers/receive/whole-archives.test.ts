import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync, statSync } from "node:fs";
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
  inPieces,
  layers,
  listIntrusions,
  listLayer,
  symlink,
  take,
  tree,
} from "../../../test/support/layers/receive.ts";

const countOpen = (): number => readdirSync("/proc/self/fd").length;

describe("archives that are not whole", () => {
  const whole = rawTar(
    directory("blobs"),
    file("config.json", "{}"),
    layers,
    tree("a"),
    rawPax([["SCHILY.xattr.user.a", "v"]]),
    file("layers/a/x", "x".repeat(700)),
    hardLink("layers/a/y", "layers/a/x"),
    file("layers/b.tar", "b".repeat(1100)),
  );

  it("are refused wherever they end, and leave nothing open", async () => {
    const before = countOpen();
    for (let end = 0; end < whole.length; end += 256) {
      const reception = createReception();
      await expect(take(reception, whole.subarray(0, end))).rejects.toMatchObject({
        code: expect.stringMatching(/^layer-tar-(?:truncated|broken|trailing-data)$/),
      });
      expect(listIntrusions(reception)).toEqual([]);
    }
    expect(countOpen()).toBe(before);
  });

  it("may come again, and what came before is gone", async () => {
    const reception = createReception();
    const odd = file("odd \xff", "x");
    const other = rawTar(
      odd,
      layers,
      tree("other"),
      file("layers/other/x"),
      symlink("layers", "/"),
    );
    await expect(take(reception, other)).rejects.toThrow("output/layers");
    expect(reception.received.findTree("other")).toBeDefined();
    await take(reception, rawTar(odd));
    await take(reception, whole);
    expect(readdirSync(reception.output).sort()).toEqual(["blobs", "config.json", "layers"]);
    expect(readdirSync(join(reception.output, "layers")).sort()).toEqual(["a", "b.tar"]);
    expect(readdirSync(join(reception.output, "layers/a"))).toEqual([]);
    expect(reception.received.findTree("other")).toBeUndefined();
    expect(listIntrusions(reception)).toEqual([]);
  });

  it("come in pieces of any size", async () => {
    const seen = new Set<string>();
    for (const size of [1, 511, 512, 513, 100_000]) {
      const reception = createReception();
      await take(reception, whole, size);
      seen.add(readFileSync(reception.received.findTree("a") ?? "", "latin1"));
      expect(readFileSync(join(reception.output, "layers/b.tar"))).toEqual(Buffer.alloc(1100, "b"));
    }
    const [archive = "", ...others] = seen;
    expect(others).toEqual([]);
    expect(
      execFileSync("tar", ["-xOf", "-", "x"], { input: Buffer.from(archive, "latin1") }),
    ).toEqual(Buffer.alloc(700, "x"));
  });

  it.each([
    ["data behind the end", Buffer.concat([whole, Buffer.from("x")])],
    ["an entry behind the end", Buffer.concat([whole, rawTar(file("config.json"))])],
    ["megabytes of zeros behind the end", Buffer.concat([whole, Buffer.alloc(2 * 1024 ** 2)])],
    ["one block of zeros in the middle", Buffer.concat([layers, Buffer.alloc(512), whole])],
  ])("are no archives with %s", async (_, bytes) => {
    const reception = createReception();
    await expect(take(reception, bytes, 5000)).rejects.toMatchObject({
      code: "layer-tar-trailing-data",
    });
  });

  it("stop where nobody wants them any more", async () => {
    const stopped = AbortSignal.abort(new Error("enough"));
    const { received } = createReception();
    await expect(received.take(inPieces(whole), stopped)).rejects.toThrow("enough");
  });
});

describe("sizes", () => {
  it("sparse files are refused: a builder writes files as they are", async () => {
    const old = { 386: "00000000000\0".concat("00000000004\0"), 483: "00000010000\0" };
    const parts = [layers, tree("a")];
    expect(
      await codeOf(
        ...parts,
        rawEntry({ name: "layers/a/x", type: "S", data: "data", patches: old }),
      ),
    ).toBe("layer-tar-broken");
    const pax = rawPax([
      ["GNU.sparse.major", "1"],
      ["GNU.sparse.minor", "0"],
      ["GNU.sparse.name", "layers/a/x"],
      ["GNU.sparse.realsize", "1099511627776"],
    ]);
    const map = `1\n0\n4\n${"\0".repeat(506)}data`;
    expect(await codeOf(...parts, pax, file("GNUSparseFile.0/x", map))).toBe("layer-tar-broken");
  });

  it("of zeros take no room", async () => {
    const reception = createReception();
    const size = 5 * 1024 ** 3;
    async function* archive(): AsyncGenerator<Uint8Array> {
      yield Buffer.concat([
        layers,
        tree("a"),
        rawEntry({ name: "layers/a/x", size: size.toString(8).padStart(11, "0") }),
      ]);
      const chunk = Buffer.alloc(8 * 1024 ** 2);
      for (let at = 0; at < size; at += chunk.length) yield chunk;
      yield rawTar(file("layers/b.tar", Buffer.alloc(1024 ** 2)));
      await Promise.resolve();
    }
    await reception.received.take(archive(), new AbortController().signal);
    const stats = statSync(reception.received.findTree("a") ?? "");
    expect(stats.size).toBe(size + 512 + 1024);
    expect(stats.blocks * 512).toBeLessThan(1024 ** 2);
    expect(statSync(join(reception.output, "layers/b.tar")).blocks).toBe(0);
    await expect(collectReceived(reception)).rejects.toMatchObject({ code: "layer-too-large" });
  }, 300_000);

  it("an entry that is none of a file has none", async () => {
    expect(
      await codeOf(layers, rawEntry({ name: "layers/a", type: "5", size: 5, data: "12345" })),
    ).toBe("layer-tar-size-mismatch");
  });

  it("a size that is no number is refused", async () => {
    for (const size of ["-1", "9", "\x80\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"])
      expect(await codeOf(rawEntry({ name: "x", size }))).toBe("layer-tar-broken");
  });

  it("many small files are a file of ours", async () => {
    const reception = createReception();
    const count = 100_000;
    async function* archive(): AsyncGenerator<Uint8Array> {
      yield Buffer.concat([layers, tree("a")]);
      for (let at = 0; at < count; at += 1000)
        yield Buffer.concat(
          Array.from({ length: 1000 }, (_, index) =>
            file(`layers/a/${String(at + index).padStart(6, "0")}`, "content"),
          ),
        );
      yield Buffer.concat([tree("b"), hardLink("layers/b/x", "layers/a/099999"), rawTar()]);
      await Promise.resolve();
    }
    await reception.received.take(archive(), new AbortController().signal);
    expect(readdirSync(join(reception.output, "layers/a"))).toEqual([]);
    expect(statSync(reception.received.findTree("a") ?? "").size).toBe(count * 1024 + 1024);
    expect(listLayer(await collectReceived(reception), 1)).toEqual(["- 7 x"]);
  });
});
