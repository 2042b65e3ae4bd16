import { execFileSync } from "node:child_process";
import {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Digest } from "../../oci/model.ts";
import { collect, createDirectory, layersOf } from "../../../test/support/layers/fixtures.ts";
import { describeTree } from "../../../test/support/layers/trees.ts";

const python = `
import sys, tarfile
with tarfile.open(sys.argv[1], "w", format=getattr(tarfile, sys.argv[3])) as t:
  t.add(sys.argv[2], arcname=".")`;

/** Makers of archives of a directory. */
const archivers: readonly (readonly [string, (archive: string, directory: string) => void])[] = [
  [
    "GNU tar (ustar)",
    (archive, directory) =>
      void execFileSync("tar", ["--format=ustar", "-C", directory, "-cf", archive, "."]),
  ],
  [
    "bsdtar (pax)",
    (archive, directory) =>
      void execFileSync("bsdtar", ["--format=pax", "-C", directory, "-cf", archive, "."]),
  ],
  [
    "bsdtar (gnutar)",
    (archive, directory) =>
      void execFileSync("bsdtar", [
        "--format=gnutar",
        "--no-xattrs",
        "-C",
        directory,
        "-cf",
        archive,
        ".",
      ]),
  ],
  [
    "Python (PAX)",
    (archive, directory) =>
      void execFileSync("python3", ["-c", python, archive, directory, "PAX_FORMAT"]),
  ],
  [
    "Python (GNU)",
    (archive, directory) =>
      void execFileSync("python3", ["-c", python, archive, directory, "GNU_FORMAT"]),
  ],
  [
    "busybox tar",
    (archive, directory) =>
      void execFileSync("busybox", ["tar", "-C", directory, "-cf", archive, "."]),
  ],
];

async function pack(output: string): Promise<Digest | undefined> {
  return layersOf(await collect(output, { compression: "none" }))[0]?.diffId;
}

describe("archives of other programs", () => {
  it.each(archivers)(
    "of %s are packed as the tree that they were made of",
    async (_name, archive) => {
      const trees = createDirectory();
      const root = join(trees, "layers/a");
      mkdirSync(join(root, "dir/sub"), { recursive: true });
      writeFileSync(join(root, "dir/file"), "x".repeat(100_000), { mode: 0o755 });
      linkSync(join(root, "dir/file"), join(root, "name"));
      writeFileSync(join(root, "dir/ümlaut"), "");
      writeFileSync(join(root, "d".repeat(90)), "long");
      symlinkSync("../x", join(root, "dir/link"));
      for (const path of ["dir/file", "dir/ümlaut", "d".repeat(90), "dir/sub", "dir"]) {
        utimesSync(join(root, path), 0, 1_600_000_000);
      }
      execFileSync("touch", ["-h", "-d", "@1500000000", join(root, "dir/link")]);
      const archives = createDirectory();
      mkdirSync(join(archives, "layers"));
      archive(join(archives, "layers/a.tar"), root);
      expect(await pack(archives)).toBe(await pack(trees));
    },
  );
});

/** Owners and times that seven and eleven octal digits cannot say. */
function putWide(root: string): void {
  for (const [name, owner, time] of [
    ["openshift", "1000660000:2097152", "1600000000"],
    ["limit", "2097151:2097151", "0"],
    ["largest", "4294967294:4294967294", "-1"],
    ["sixties", "0:0", "-300000000"],
    ["far", "0:3000000", "8589934593"],
  ] as const) {
    writeFileSync(join(root, name), name);
    execFileSync("chown", [owner, join(root, name)]);
    execFileSync("touch", ["-d", `@${time}`, join(root, name)]);
  }
}

/** How each program says them: in base 256, or in PAX records. */
const wideArchivers: readonly (readonly [string, readonly string[]])[] = [
  ["GNU tar (gnu)", ["tar", "--format=gnu"]],
  ["GNU tar (posix)", ["tar", "--format=posix"]],
  ["bsdtar (pax)", ["bsdtar", "--format=pax"]],
];

describe("owners above 2097151 and times before 1970", () => {
  it.each(wideArchivers)("of %s are packed as those of the tree", async (_name, archiver) => {
    const trees = createDirectory();
    const root = join(trees, "layers/a");
    mkdirSync(root, { recursive: true });
    putWide(root);
    const archives = createDirectory();
    mkdirSync(join(archives, "layers"));
    const [program = "", ...flags] = archiver;
    execFileSync(program, [...flags, "-C", root, "-cf", join(archives, "layers/a.tar"), "."]);
    expect(await pack(archives)).toBe(await pack(trees));
  });

  it("of Python are packed as those of the tree", async () => {
    for (const format of ["PAX_FORMAT", "GNU_FORMAT"]) {
      const trees = createDirectory();
      const root = join(trees, "layers/a");
      mkdirSync(root, { recursive: true });
      putWide(root);
      const archives = createDirectory();
      mkdirSync(join(archives, "layers"));
      execFileSync("python3", ["-c", python, join(archives, "layers/a.tar"), root, format]);
      expect(await pack(archives)).toBe(await pack(trees));
    }
  });
});

type Node = {
  readonly kind: "file" | "link" | "linked" | "directory";
  readonly path: readonly string[];
  readonly mode: number;
  readonly text: string;
};

const names = fc.constantFrom(
  "a",
  "a-",
  "a.b",
  "b",
  "A",
  "ä",
  "\n",
  " ",
  "-",
  "0",
  "~",
  "x".repeat(120),
);
const nodes: fc.Arbitrary<Node> = fc.record({
  kind: fc.constantFrom("file", "link", "linked", "directory"),
  path: fc.array(names, { minLength: 1, maxLength: 4 }),
  mode: fc.constantFrom(0o644, 0o755, 0o4711, 0o600),
  text: fc.string({ maxLength: 2000 }),
});

/** Makes what can be made of it; what another node is in the way of is left out. */
function makeNodes(root: string, all: readonly Node[]): void {
  for (const { kind, path, mode, text } of all) {
    const full = join(root, ...path);
    try {
      mkdirSync(join(full, ".."), { recursive: true });
      if (kind === "directory") mkdirSync(full, { mode });
      else if (kind === "file") writeFileSync(full, text, { flag: "wx", mode });
      else if (kind === "link") symlinkSync(text.replaceAll("\0", "") || "x", full);
      else linkSync(join(root, path[0] ?? "a"), full);
      if (kind === "file") chmodSync(full, mode);
    } catch {
      continue;
    }
  }
}

describe("any tree", () => {
  it(
    "comes out of its layer as it went in, and as an archive gives the same layer",
    { timeout: 300_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(nodes, { maxLength: 25 }), async (all) => {
          const work = mkdtempSync(join(tmpdir(), "xbuild-any-"));
          try {
            const root = join(work, "output/layers/a");
            mkdirSync(root, { recursive: true });
            makeNodes(root, all);
            const staging = join(work, "staging");
            mkdirSync(staging);
            const [layer] = layersOf(await collect(join(work, "output"), { staging }));
            const target = join(work, "target");
            mkdirSync(target);
            // In another locale it refuses names that have characters beyond ASCII.
            const env = { ...process.env, LC_ALL: "C.UTF-8" };
            execFileSync("bsdtar", ["-xpf", layer?.blob?.path ?? "", "-C", target], { env });
            expect(describeTree(target)).toEqual(describeTree(root));
            const archives = join(work, "archives");
            mkdirSync(join(archives, "layers"), { recursive: true });
            execFileSync("tar", [
              "--format=gnu",
              "-C",
              root,
              "-czf",
              join(archives, "layers/a.tar.gz"),
              ".",
            ]);
            const [other] = layersOf(await collect(archives, { staging }));
            expect(other?.diffId).toBe(layer?.diffId);
          } finally {
            rmSync(work, { recursive: true, force: true });
          }
        }),
        { numRuns: 25 },
      );
    },
  );
});
