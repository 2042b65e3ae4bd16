import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { collect, digestOf, layersOf } from "../../../test/support/layers/fixtures.ts";
import { type RawEntry, rawEntry, rawPax, rawTar } from "../../../test/support/layers/raw-tar.ts";
import {
  createReception,
  inPieces,
  listIntrusions,
  type Reception,
  take,
} from "../../../test/support/layers/receive.ts";
import { XbuildError } from "../../errors.ts";
import type { CollectedOutput } from "../model.ts";

const directory = (name: string): Buffer => rawEntry({ name: `${name}/`, type: "5", mode: 0o755 });
const file = (name: string, data: string | Buffer = "x", more: RawEntry = {}): Buffer =>
  rawEntry({ name, data, ...more });
const hardLink = (name: string, link: string): Buffer => rawEntry({ name, type: "1", link });
const symlink = (name: string, link: string): Buffer => rawEntry({ name, type: "2", link });

const layers = directory("layers");
const tree = (name: string): Buffer => directory(`layers/${name}`);

/** What becomes of an archive; nothing of it may be anywhere else. */
async function receive(...parts: readonly Buffer[]): Promise<Reception> {
  const reception = createReception();
  try {
    await take(reception, rawTar(...parts));
  } finally {
    expect(listIntrusions(reception)).toEqual([]);
  }
  return reception;
}

async function codeOf(...parts: readonly Buffer[]): Promise<unknown> {
  const error: unknown = await receive(...parts).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error === undefined) return undefined;
  // Words of the system, and paths of this machine, are nobody's business.
  if (!(error instanceof XbuildError)) throw error;
  expect(error.message).not.toMatch(/E[A-Z]{4,}:|xbuild-layers-/);
  return error.code;
}

async function collectReceived({ output, received }: Reception): Promise<CollectedOutput> {
  return collect(output, { findTree: received.findTree, compression: "none" });
}

/** What a layer's archive has, as tar lists it: type, size and name. */
function listLayer(output: CollectedOutput, at = 0): readonly string[] {
  const path = layersOf(output)[at]?.blob?.path ?? "";
  const list = execFileSync("tar", ["-tvf", path], { encoding: "utf8" }).trimEnd();
  return list
    .split("\n")
    .map((line) =>
      line.replace(
        /^(.)\S+ +\S+ +(\S+) \S+ \S+ (.*)$/,
        (_, type: string, size: string, name: string) => `${type} ${size} ${name}`,
      ),
    );
}

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

describe("hard links", () => {
  it("to a file of their tree are what they are on a disk", async () => {
    const reception = await receive(
      layers,
      tree("a"),
      file("layers/a/x", "content"),
      hardLink("layers/a/y", "layers/a/x"),
    );
    expect(listLayer(await collectReceived(reception))).toEqual(["- 7 x", "h 0 y link to x"]);
  });

  it("to files of other trees are files, and links to each other", async () => {
    const reception = await receive(
      layers,
      tree("a"),
      file("layers/a/x", "content"),
      hardLink("layers/a/x2", "layers/a/x"),
      tree("b"),
      hardLink("layers/b/z", "layers/a/x2"),
      hardLink("layers/b/y", "layers/a/x"),
      tree("c"),
      hardLink("layers/c/z", "layers/b/y"),
    );
    const collected = await collectReceived(reception);
    expect(listLayer(collected, 1)).toEqual(["- 7 y", "h 0 z link to y"]);
    expect(listLayer(collected, 2)).toEqual(["- 7 z"]);
  });

  it("go from trees to files that stand alone, and back", async () => {
    const bytes = rawTar(file("x", "content"));
    const name = digestOf(bytes).slice(7);
    const { output, received } = await receive(
      directory("blobs"),
      directory("blobs/sha256"),
      file(`blobs/sha256/${name}`, bytes),
      hardLink("config.json", `blobs/sha256/${name}`),
      layers,
      tree("a"),
      hardLink("layers/a/blob", `blobs/sha256/${name}`),
      file("layers/a/x", "one"),
      hardLink("layers/b.tar", `layers/a/blob`),
      directory("state"),
      hardLink("state/x", "layers/a/x"),
      hardLink("state/y", "layers/b.tar"),
    );
    for (const place of [`blobs/sha256/${name}`, "config.json", "layers/b.tar", "state/y"])
      expect(readFileSync(join(output, place))).toEqual(bytes);
    expect(readFileSync(join(output, "state/x"), "utf8")).toBe("one");
    expect(received.findTree("a")).toBeDefined();
  });

  it("to what belongs nowhere have its bytes", async () => {
    const reception = await receive(
      directory("cache"),
      directory("cache/deep"),
      file("cache/deep/x", "content"),
      layers,
      tree("a"),
      hardLink("layers/a/x", "cache/deep/x"),
    );
    const collected = await collectReceived(reception);
    expect(listLayer(collected)).toEqual(["- 7 x"]);
    expect(collected.warnings.map(({ file: place }) => place)).toEqual(["output/cache"]);
    expect(readdirSync(join(reception.output, "cache"))).toEqual([]);
  });

  it("keep what the state has of a file", async () => {
    const { output } = await receive(
      layers,
      tree("a"),
      file("layers/a/x", "#!", { mode: 0o755, mtime: 1_000_000_000 }),
      directory("state"),
      hardLink("state/x", "layers/a/x"),
    );
    const { mode, mtimeMs } = statSync(join(output, "state/x"));
    expect([mode & 0o100, mtimeMs]).toEqual([0o100, 1_000_000_000_000]);
  });

  it.each<readonly [string, string, string]>([
    ["to nothing", "layers/b/y", "layers/a/nothing"],
    ["to a tree", "layers/b/y", "layers/a"],
    ["to the output itself", "layers/b/y", "layers"],
    ["to the archive's root", "layers/b/y", "."],
    ["to what comes later, in another tree", "layers/b/y", "layers/c/x"],
    ["to itself, alone", "config.json", "config.json"],
    ["to a document that did not come", "config.json", "history.json"],
    ["from a blob to itself", "blobs/x", "blobs/x"],
    ["to what is beside the output", "layers/b/y", "received/0.tar"],
  ])("%s are refused", async (_, name, link) => {
    const parts = [
      directory("blobs"),
      layers,
      tree("a"),
      file("layers/a/x"),
      tree("b"),
      hardLink(name, link),
    ];
    expect(await codeOf(...parts, tree("c"), file("layers/c/x"))).toBe("layer-tar-broken");
  });

  it.each([
    ["to a later entry", "y"],
    ["to themselves", "x"],
    ["to a directory", "d"],
  ])("%s of their tree are refused when they are collected", async (_, link) => {
    const reception = await receive(
      layers,
      tree("a"),
      directory("layers/a/d"),
      hardLink("layers/a/x", `layers/a/${link}`),
      file("layers/a/y"),
    );
    await expect(collectReceived(reception)).rejects.toMatchObject({
      code: "layer-tar-link-target",
    });
  });

  it.each(["x", "y", "d"])("to one that is wrong itself, to %s, are refused", async (link) => {
    const parts = [
      layers,
      tree("a"),
      directory("layers/a/d"),
      hardLink("layers/a/x", `layers/a/${link}`),
    ];
    const more = [file("layers/a/y"), tree("b"), hardLink("layers/b/x", "layers/a/x")];
    const code = await codeOf(...parts, ...more);
    // One to a directory leads to an entry, which the first layer is refused for.
    expect(code).toBe(link === "d" ? undefined : "layer-tar-broken");
  });

  it("cannot have the same bytes copied for ever", async () => {
    const parts = [directory("state"), file("state/big", Buffer.alloc(40_000))];
    const links = [1, 2, 3].map((at) => hardLink(`state/${at}`, "state/big"));
    const reception = createReception({ maxCopied: 100_000 });
    await take(reception, rawTar(...parts, ...links.slice(0, 2)));
    await expect(take(reception, rawTar(...parts, ...links))).rejects.toMatchObject({
      code: "layer-tar-broken",
    });
  });
});

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
