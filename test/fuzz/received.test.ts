import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  lchownSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { systemCode } from "../../src/system/errno.ts";
import type { CollectedOutput, CollectOptions } from "../../src/layers/model.ts";
import { collect, createDirectory } from "../support/layers/fixtures.ts";
import { rawEntry, rawPax, rawTar } from "../support/layers/raw-tar.ts";
import { createReception, listIntrusions, take } from "../support/layers/receive.ts";
import { fuzz, fuzzTimeout, hold, judge, mutate, runs } from "./harness.ts";

/** Something that steps leave in their output. Names are one character a byte. */
interface Leaving {
  readonly kind: "file" | "link" | "directory" | "symlink" | "fifo";
  readonly place: string;
  readonly names: readonly string[];
  readonly size: number;
  readonly mode: number;
  readonly owner: number;
  readonly time: number;
  readonly attribute: string;
  /** Of what was there before: which one a hard link leads to. */
  readonly earlier: number;
}

const name = fc.constantFrom(
  ..."a b a-b a.b A".split(" "),
  "\xff\xfe",
  "é",
  " blank",
  "-dash",
  "new\nline",
  "q'\"$",
  "back\\slash",
  "n".repeat(120),
);
const leaving: fc.Arbitrary<Leaving> = fc.record({
  kind: fc.constantFrom("file", "file", "file", "link", "link", "directory", "symlink", "fifo"),
  place: fc.constantFrom("layers/a", "layers/a", "layers/b", "layers/10-c", "aside", "state", "."),
  names: fc.array(name, { minLength: 1, maxLength: 3 }),
  size: fc.constantFrom(0, 1, 511, 512, 513, 70_000),
  mode: fc.constantFrom(0o644, 0o600, 0o755, 0o4755, 0o2711, 0o1777, 0o000),
  owner: fc.constantFrom(0, 1000, 65_534, 3_000_000),
  time: fc.constantFrom(0, 0.3, 1_000_000_000.7, 1_700_000_000, 8_589_934_592),
  attribute: fc.constantFrom("", "", "", "value", "a=b"),
  earlier: fc.nat({ max: 1000 }),
});

const bytesOf = (text: string): Buffer => Buffer.from(text, "latin1");

/** Leaves it, where nothing else is in its way. */
function leave(output: string, one: Leaving, files: Buffer[]): void {
  const { kind, mode, owner, time, size } = one;
  const own = kind === "fifo" || kind === "symlink";
  const names = one.place === "." ? [`top ${one.names[0] ?? ""}`] : one.names;
  const path = bytesOf(`${output}/${one.place}/${names.join("/")}`);
  try {
    const parents = names.slice(0, -1).map((_, at) => names.slice(0, at + 1).join("/"));
    for (const parent of ["", ...parents])
      mkdirSync(bytesOf(`${output}/${one.place}/${parent}`), { recursive: true });
    if (kind === "directory") mkdirSync(path);
    if (kind === "symlink") symlinkSync("/etc/\xff", path);
    if (kind === "fifo") makeFifo(path, `${output}-fifo`);
    if (kind === "file")
      writeFileSync(path, Buffer.alloc(size, one.names.join("")), { flag: "wx" });
    if (kind === "link") {
      const target = files[one.earlier % Math.max(1, files.length)];
      if (target === undefined) return;
      linkSync(target, path);
      files.push(path);
      return;
    }
    if (kind === "file") files.push(path);
    lchownSync(path, owner, owner);
    if (!own) chmodSync(path, mode);
    lutimesSync(path, time, time);
  } catch (error) {
    if (!["EEXIST", "ENOTDIR", "ENOENT"].includes(systemCode(error) ?? "")) throw error;
    return;
  }
  const isMarked = one.attribute !== "" && kind === "file" && isAscii(path.toString("latin1"));
  if (isMarked) execFileSync("setfattr", ["-n", "user.note", "-v", one.attribute, path.toString()]);
}

/** By way of a name that a command line takes. */
function makeFifo(path: Buffer, spare: string): void {
  execFileSync("mkfifo", [spare]);
  try {
    linkSync(spare, path);
  } finally {
    rmSync(spare);
  }
}

// oxlint-disable-next-line no-control-regex -- all that a command line takes
const isAscii = (text: string): boolean => /^[\x01-\x7f]*$/.test(text);

/** What an output came to, without where it lies; what is told, in one order. */
async function describeOutput(
  output: string,
  findTree?: CollectOptions["findTree"],
): Promise<object> {
  const { value, code } = await judge(
    () => collect(output, { compression: "none", findTree }),
    /^(?:layers?|output|blob)-/,
  );
  return value === undefined ? { code } : describeCollected(value);
}

function describeCollected({ entries, warnings, state, ...rest }: CollectedOutput): object {
  return {
    ...rest,
    entries: entries.map((entry) => {
      if (entry.kind === "empty") return entry;
      const { blob, ...layer } = entry.layer;
      return { ...layer, bytes: blob === undefined ? "" : readFileSync(blob.path).length };
    }),
    // What is no file in the state does not come at all.
    warnings: warnings
      .filter(({ code }) => code !== "output-state-file")
      .map(({ code, file }) => `${code} ${file}`)
      .sort(),
    state: state === undefined ? [] : listState(Buffer.from(state)),
  };
}

function listState(directory: Buffer): readonly string[] {
  return readdirSync(directory, { encoding: "buffer" })
    .sort((one, other) => Buffer.compare(one, other))
    .flatMap((one): readonly string[] => {
      const path = Buffer.concat([directory, Buffer.from("/"), one]);
      const stats = lstatSync(path);
      const shown = `${one.toString("latin1")} ${stats.mode.toString(8)}`;
      if (stats.isDirectory()) return [`${shown}/`].concat(listState(path));
      return [`${shown} ${stats.mtimeMs} ${readFileSync(path).toString("latin1")}`];
    });
}

test(
  "a tree comes to the same from a disk and from an archive",
  async () => {
    let layers = 0;
    let links = 0;
    const cases = fc.tuple(fc.array(leaving, { minLength: 1, maxLength: 25 }), fc.boolean());
    await fuzz(
      cases,
      async ([leavings, isSorted]) => {
        const output = join(createDirectory(), "output");
        mkdirSync(join(output, "layers/a"), { recursive: true });
        const files: Buffer[] = [];
        for (const one of leavings) leave(output, one, files);
        const onDisk = await describeOutput(output);
        const reception = createReception();
        const sort = isSorted ? ["--sort=name"] : [];
        const format = ["--format=posix", "--numeric-owner", "--xattrs", "--xattrs-include=*"];
        const words = [...format, ...sort, "-C", output, "-cf", "-", "."];
        await take(reception, execFileSync("tar", words, { maxBuffer: 1024 ** 3 }), 10_000);
        expect(listIntrusions(reception)).toEqual([]);
        const received = await describeOutput(reception.output, reception.received.findTree);
        expect(received).toEqual(onDisk);
        layers += "entries" in onDisk ? 1 : 0;
        links += files.length > new Set(files.map((path) => lstatSync(path).ino)).size ? 1 : 0;
      },
      0.03,
    );
    // Else there would have been nothing to compare.
    expect(Math.min(layers, links)).toBeGreaterThan(10);
  },
  10 * fuzzTimeout,
);

const directory = (path: string): Buffer => rawEntry({ name: `${path}/`, type: "5" });
const archives = [
  rawTar(
    directory("blobs"),
    directory("blobs/sha256"),
    rawEntry({ name: `blobs/sha256/${"a".repeat(64)}`, data: "blob" }),
    rawEntry({ name: "history.json", data: "[]" }),
    directory("layers"),
    directory("layers/a"),
    rawEntry({ name: "layers/a/x", data: "x".repeat(600) }),
    rawEntry({ name: "layers/a/y", type: "1", link: "layers/a/x" }),
    directory("layers/b"),
    rawEntry({ name: "layers/b/z", type: "1", link: "layers/a/y" }),
    rawEntry({ name: "layers/b/l", type: "2", link: "../../../../etc" }),
    rawEntry({ name: "layers/c.tar", type: "1", link: "layers/b/z" }),
    directory("state"),
    rawEntry({ name: "state/s", type: "1", link: "layers/c.tar" }),
  ),
];
const places =
  "../bystander|/bystander|layers|layers/a|layers/a/x|layers/a/y|layers/b|layers/b/z|layers/b/x|layers/a/d|layers/a/d/x|blobs|blobs/sha256|blobs/x|state|state/x|state/d|history.json|else|else/x|.||layers/c.tar|received/0.tar".split(
    "|",
  );
const hostileEntry = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.constantFrom(
      ...["layers", "layers/a", "layers/b", "state", "blobs", "else"].map(directory),
    ),
  },
  {
    weight: 5,
    arbitrary: fc
      .record({
        name: fc.constantFrom(...places),
        link: fc.constantFrom(...places),
        type: fc.constantFrom(..."0011123456".split("")),
        data: fc.constantFrom("", "x", "y".repeat(600)),
      })
      .map(({ data, ...entry }) => rawEntry({ ...entry, ...(entry.type === "0" ? { data } : {}) })),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      rawPax([["path", "../bystander"]]),
      rawPax([["path", "layers/a/\xff"]]),
      rawPax([["linkpath", "layers/a/x"]]),
      rawPax([["mtime", "-1.5"]]),
    ),
  },
);

test(
  "whatever comes is taken or refused, and leads nowhere else",
  async () => {
    const tokens = ["../", "/", "\0", "layers/a/x", "layers", "7777777777777", "1", "2", "5", "x"];
    const input = fc.oneof(
      mutate(archives, tokens),
      fc.array(hostileEntry, { maxLength: 14 }).map((entries) => rawTar(...entries)),
    );
    const counts = { taken: 0, refused: 0 };
    await fuzz(
      input,
      async (bytes) => {
        const reception = createReception();
        const { code } = await judge(
          () => take(reception, bytes, 1000),
          /^(?:layer-tar-|output-file-type$)/,
        );
        hold(listIntrusions(reception).length === 0, listIntrusions(reception).join());
        counts[code === undefined ? "taken" : "refused"] += 1;
        if (code !== undefined) return;
        const { findTree } = reception.received;
        await judge(
          () => collect(reception.output, { compression: "none", allowDevices: true, findTree }),
          /^(?:layers?|output|blob)-/,
        );
        hold(listIntrusions(reception).length === 0, listIntrusions(reception).join());
      },
      0.25,
    );
    expect(Math.min(counts.taken, counts.refused)).toBeGreaterThan(runs / 50);
  },
  10 * fuzzTimeout,
);
