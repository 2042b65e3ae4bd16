import { execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  linkSync,
  lutimesSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { crc32, deflateRawSync, gunzipSync } from "node:zlib";
import { describe, expect, it, onTestFinished } from "vitest";
import type { CollectedLayer, CollectOptions } from "../layers/model.ts";
import { collect, createDirectory, layersOf } from "../../test/support/layers/fixtures.ts";
import { describeTree, unpackers } from "../../test/support/layers/trees.ts";

type Maker = (root: string) => void;

/** Each makes one path of the tree; they are called in several orders. */
const makers: readonly Maker[] = [
  (root) => writeFileSync(join(root, "a-b"), "before what is in a"),
  (root) => writeFileSync(join(root, "a/b"), "in a", { mode: 0o600 }),
  (root) => writeFileSync(join(root, "a.txt"), "x".repeat(1_500_000)),
  (root) => writeFileSync(join(root, `${"long-name-".repeat(20)}1`), "long"),
  (root) => writeFileSync(join(root, "a", "n".repeat(99)), "split"),
  (root) => symlinkSync("/etc/../target".repeat(12), join(root, "long-link")),
  (root) => symlinkSync("a/b", join(root, "link")),
  (root) => writeFileSync(join(root, "ümlaut \n\t\\ name"), "u"),
  (root) =>
    writeFileSync(
      Buffer.concat([Buffer.from(join(root, "a/")), Buffer.from([0xff, 0x80])]),
      "bytes",
    ),
  (root) =>
    writeFileSync(
      Buffer.concat([Buffer.from(join(root, "a/")), Buffer.alloc(150, 0xfe)]),
      "long bytes",
    ),
  (root) => mkdirSync(join(root, "empty")),
  (root) => mkdirSync(join(root, "e.wh.mpty")),
  (root) => void execFileSync("mkfifo", [join(root, "fifo")]),
];

function makeTree(order: readonly Maker[] = makers): string {
  const output = createDirectory();
  const root = join(output, "layers/tree");
  mkdirSync(join(root, "a"), { recursive: true });
  for (const make of order) make(root);
  writeFileSync(join(root, "z-first"), "two names");
  linkSync(join(root, "z-first"), join(root, "a/linked"));
  setAttributes(root);
  return output;
}

/** Modes, owners and times that are the same whatever the umask was. */
function setAttributes(root: string): void {
  for (const [index, path] of Object.keys(describeTree(root)).entries()) {
    const full = Buffer.from(`${root}/${path}`, "latin1");
    const isLink = path.endsWith("link");
    if (!isLink) chmodSync(full, [0o4755, 0o2750, 0o1777, 0o644, 0o400][index % 5] ?? 0);
    if (!isLink) chownSync(full, index % 3 === 0 ? 3_000_000_000 : 1000, index);
    if (!isLink) utimesSync(full, 0, 1_700_000_000 + index + 0.9999996);
    else lutimesSync(full, 0, 1_600_000_000);
  }
  execFileSync("setfattr", ["-n", "user.x", "-v", "0x000aff", join(root, "a/b")]);
  execFileSync("setfattr", ["-n", "user.a", "-v", "1", join(root, "a/b")]);
  execFileSync("setfattr", [
    "-n",
    "security.capability",
    "-v",
    "0x0100000200040000000000000000000000000000",
    join(root, "a.txt"),
  ]);
  execFileSync("touch", ["-d", "@-5.5", join(root, "a")]);
}

function removeAttributes(root: string): void {
  for (const name of ["user.x", "user.a"])
    execFileSync("setfattr", ["-x", name, join(root, "a/b")]);
  execFileSync("setfattr", ["-x", "security.capability", join(root, "a.txt")]);
}

async function pack(
  output: string,
  options: Partial<CollectOptions> = {},
): Promise<CollectedLayer> {
  const [layer] = layersOf(
    await collect(output, { compression: "none", allowDevices: true, ...options }),
  );
  if (layer === undefined) throw new Error("no layer");
  return layer;
}

describe("canonical packing", () => {
  it("gives the same bytes whatever the order of the directory, the umask and the time zone", async () => {
    const first = await pack(makeTree());
    const [umask, zone] = [process.umask(0o077), process.env["TZ"]];
    onTestFinished(() => {
      process.umask(umask);
      if (zone === undefined) delete process.env["TZ"];
      else process.env["TZ"] = zone;
    });
    process.env["TZ"] = "Pacific/Kiritimati";
    const second = await pack(makeTree(makers.toReversed()));
    expect(second.diffId).toBe(first.diffId);
    expect(second.descriptor).toEqual(first.descriptor);
  });

  it("gives the bytes that it always gave", async () => {
    const layer = await pack(makeTree());
    expect(layer.diffId).toMatchInlineSnapshot(
      `"sha256:d7ebda16320b44883f4847478427a4fa747d714b60a2714f7e249f0090da261f"`,
    );
    expect(layer.descriptor.annotations).toMatchInlineSnapshot(`
      {
        "io.xbuild.layer.fingerprint": "v1:d41f33c0ab122ae0110be300f59bbb34",
      }
    `);
  });

  it.each(Object.entries(unpackers))(
    "is unpacked by %s to the tree that it was",
    async (_name, { unpack, what }) => {
      const output = makeTree();
      const layer = await pack(output);
      const target = join(createDirectory(), "target");
      unpack(layer.blob?.path ?? "", target);
      const tree = describeTree(join(output, "layers/tree"));
      expect(what(describeTree(target))).toEqual(what(tree));
    },
  );

  it("lists paths in bytewise order, parents before children, first names with the data", async () => {
    const layer = await pack(makeTree());
    const program =
      "import sys, tarfile, os\nfor m in tarfile.open(sys.argv[1]):\n  sys.stdout.buffer.write(os.fsencode(m.name) + b'\\0' + m.type + b'\\0' + str(m.size).encode() + b'\\0' + repr((m.uname, m.gname)).encode() + b'\\0')";
    const fields = execFileSync("python3", ["-c", program, layer.blob?.path ?? ""])
      .toString("latin1")
      .split("\0");
    const rows = Array.from({ length: (fields.length - 1) / 4 }, (_, index) =>
      fields.slice(4 * index, 4 * index + 4),
    );
    const names = rows.map(([name]) => name);
    expect(names).toEqual(names.toSorted((a = "", b = "") => (a < b ? -1 : 1)));
    expect(names.slice(0, 2)).toEqual(["a", "a-b"]);
    expect(rows.find(([name]) => name === "a/linked")).toEqual(["a/linked", "0", "9", "('', '')"]);
    expect(rows.find(([name]) => name === "z-first")?.[1]).toBe("1");
  });

  it("clamps times to the epoch, and keeps earlier ones", async () => {
    const layer = await pack(makeTree(), { epoch: 1_650_000_000 });
    const program =
      "import sys, tarfile\nprint(sorted({m.mtime for m in tarfile.open(sys.argv[1])}))";
    const times = execFileSync("python3", ["-c", program, layer.blob?.path ?? ""], {
      encoding: "utf8",
    });
    expect(times.trim()).toBe("[-6.0, 1600000000, 1650000000]");
  });

  it.each([
    ["pax", ["--xattrs", "--xattrs-include=*"]],
    ["gnu", []],
  ])("packs a %s archive of the tree, in whatever order, as the tree", async (form, args) => {
    const output = makeTree();
    const root = join(output, "layers/tree");
    // GNU's own format has no attributes.
    if (form === "gnu") removeAttributes(root);
    const names = Object.keys(describeTree(root)).toReversed();
    const list = join(createDirectory(), "list");
    writeFileSync(list, Buffer.from(names.map((name) => `./${name}\0`).join(""), "latin1"));
    const archives = createDirectory();
    mkdirSync(join(archives, "layers"));
    const all = [`--format=${form}`, ...args, "--no-recursion", "--null", "-T", list];
    execFileSync("tar", ["-C", root, ...all, "-cf", join(archives, "layers/tree.tar")]);
    expect((await pack(archives)).diffId).toBe((await pack(output)).diffId);
  });

  it("expands sparse files of archives", async () => {
    const source = createDirectory();
    writeFileSync(join(source, "sparse"), "start");
    execFileSync("truncate", ["-s", "3M", join(source, "sparse")]);
    writeFileSync(join(source, "sparse"), "end", { flag: "a" });
    writeFileSync(join(source, "empty"), "");
    execFileSync("truncate", ["-s", "1M", join(source, "empty")]);
    const digests = new Set<string>();
    for (const form of [
      "--format=gnu",
      "--format=pax",
      "--sparse-version=0.1",
      "--sparse-version=1.0",
    ]) {
      const archives = createDirectory();
      mkdirSync(join(archives, "layers"));
      const format = form.startsWith("--format") ? [form] : ["--format=pax", form];
      execFileSync("tar", [
        "-S",
        ...format,
        "-C",
        source,
        "-cf",
        join(archives, "layers/a.tar"),
        "sparse",
        "empty",
      ]);
      expect(readFileSync(join(archives, "layers/a.tar")).length).toBeLessThan(100_000);
      digests.add((await pack(archives)).diffId);
    }
    const trees = createDirectory();
    mkdirSync(join(trees, "layers"));
    execFileSync("cp", ["-a", source, join(trees, "layers/a")]);
    digests.add((await pack(trees)).diffId);
    expect(digests.size).toBe(1);
  });
});

describe("gzip", () => {
  const block = 1024 * 1024;

  it.each([0, 1, 1000, 2048, 3 * 1024])(
    "is one member whose bytes hold for any number of cores (%d KiB)",
    async (kibibytes) => {
      const output = createDirectory();
      mkdirSync(join(output, "layers/a"), { recursive: true });
      writeFileSync(
        join(output, "layers/a/x"),
        Buffer.from(
          Array.from({ length: kibibytes * 64 }, (_, i) => `line ${i * i}\n`).join(""),
        ).subarray(0, kibibytes * 1024),
      );
      utimesSync(join(output, "layers/a/x"), 0, 0);
      const plain = readFileSync((await pack(output)).blob?.path ?? "");
      const packed = readFileSync((await pack(output, { compression: "gzip" })).blob?.path ?? "");
      const parts = [Buffer.from("1f8b08000000000000ff", "hex")];
      for (let at = 0; at < plain.length; at += block) {
        const dictionary = at === 0 ? {} : { dictionary: plain.subarray(at - 32768, at) };
        parts.push(
          deflateRawSync(plain.subarray(at, at + block), {
            level: 6,
            finishFlush: 2,
            ...dictionary,
          }),
        );
      }
      const trailer = Buffer.alloc(10);
      trailer.writeUInt16LE(3, 0);
      trailer.writeUInt32LE(crc32(plain), 2);
      trailer.writeUInt32LE(plain.length, 6);
      expect(packed.equals(Buffer.concat([...parts, trailer]))).toBe(true);
      expect(gunzipSync(packed).equals(plain)).toBe(true);
      execFileSync("gzip", ["-t"], { input: packed });
    },
  );
});
