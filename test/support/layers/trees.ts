import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, mkdirSync, readdirSync, readFileSync, readlinkSync } from "node:fs";

/** What an oracle knows of one path. */
export interface PathFacts {
  readonly type: number;
  readonly mode: string;
  readonly owner: string;
  /** Whole seconds; good enough for times that are no nearer to the next than a microsecond. */
  readonly mtime: number;
  readonly size: bigint;
  readonly content: string;
  /** The first path (bytewise) of the same inode. */
  readonly same: string;
  readonly device: bigint;
  readonly xattrs: string;
}

/** Everything below a directory, path by path (one character a byte), read without any code of ours. */
export function describeTree(root: string): Readonly<Record<string, PathFacts>> {
  const inodes = new Map<bigint, string>();
  const xattrs = readXattrs(root);
  const entries = listPaths(root, "").map((path): [string, PathFacts] => {
    const full = Buffer.from(`${root}/${path}`, "latin1");
    const stats = lstatSync(full, { bigint: true });
    if (stats.isFile() && !inodes.has(stats.ino)) inodes.set(stats.ino, path);
    const isDevice = stats.isBlockDevice() || stats.isCharacterDevice();
    return [
      path,
      {
        type: Number(stats.mode) & 0o170000,
        mode: (Number(stats.mode) & 0o7777).toString(8),
        owner: `${stats.uid}:${stats.gid}`,
        mtime: Math.floor(Number(stats.mtimeNs) / 1e9),
        size: stats.isFile() ? stats.size : 0n,
        content: readContent(full, stats.isFile(), stats.isSymbolicLink()),
        same: stats.isFile() ? (inodes.get(stats.ino) ?? path) : path,
        device: isDevice ? stats.rdev : 0n,
        xattrs: xattrs.get(path) ?? "",
      },
    ];
  });
  return Object.fromEntries(entries);
}

function listPaths(root: string, prefix: string): readonly string[] {
  const directory = Buffer.from(`${root}/${prefix}`, "latin1");
  const paths: string[] = [];
  for (const name of readdirSync(directory, { encoding: "buffer" })) {
    const path = prefix + name.toString("latin1");
    paths.push(path);
    const isDirectory = lstatSync(Buffer.from(`${root}/${path}`, "latin1")).isDirectory();
    if (isDirectory) paths.push(...listPaths(root, `${path}/`));
  }
  return paths.sort();
}

function readContent(path: Buffer, isFile: boolean, isLink: boolean): string {
  if (isLink) return readlinkSync(path, { encoding: "buffer" }).toString("latin1");
  return isFile ? createHash("sha256").update(readFileSync(path)).digest("hex") : "";
}

/** By getfattr, which our own code does not use. */
function readXattrs(root: string): ReadonlyMap<string, string> {
  const args = ["-R", "-P", "-h", "-d", "-m", "-", "-e", "hex", "."];
  const text = execFileSync("getfattr", args, { cwd: root, maxBuffer: 1024 ** 3 }).toString(
    "latin1",
  );
  const parts = text.split("# file: ").slice(1);
  return new Map(
    parts.map((part) => {
      const [name = "", ...lines] = part.trim().split("\n");
      const path = name.replaceAll(/\\([0-7]{3})/g, (_, octal: string) =>
        String.fromCharCode(Number.parseInt(octal, 8)),
      );
      return [path, lines.sort().join(" ")];
    }),
  );
}

type Facts = Readonly<Record<string, PathFacts>>;

/** A program that unpacks an archive, and what of a tree it can restore. */
export interface Unpacker {
  readonly unpack: (archive: string, target: string) => void;
  readonly what: (facts: Facts) => Facts;
}

/** Each is called so that it restores the most. */
export const unpackers: Readonly<Record<"GNU tar" | "bsdtar" | "Python's tarfile", Unpacker>> = {
  "GNU tar": {
    unpack: (archive, target) => {
      mkdirSync(target);
      const keep = ["--numeric-owner", "--xattrs", "--xattrs-include=*", "-p"];
      execFileSync("tar", ["-xf", archive, ...keep, "-C", target], { stdio: "pipe" });
    },
    // It sets a directory's time when it leaves it for `a-b`, before it writes `a/b`.
    what: (facts) => change(facts, (fact) => (fact.type === 0o040000 ? { mtime: 0 } : {})),
  },
  bsdtar: {
    unpack: (archive, target) => {
      mkdirSync(target);
      const args = ["-xpf", archive, "--numeric-owner", "-C", target];
      execFileSync("bsdtar", args, { stdio: "pipe" });
    },
    what: (facts) => facts,
  },
  "Python's tarfile": {
    unpack: (archive, target) => {
      mkdirSync(target);
      const program =
        "import sys, tarfile\ntarfile.open(sys.argv[1]).extractall(sys.argv[2], numeric_owner=True)";
      execFileSync("python3", ["-W", "ignore", "-c", program, archive, target], { stdio: "pipe" });
    },
    // It restores no attributes, and no times of links.
    what: (facts) =>
      change(facts, (fact) => ({ xattrs: "", ...(fact.type === 0o120000 ? { mtime: 0 } : {}) })),
  },
};

function change(facts: Facts, what: (fact: PathFacts) => Partial<PathFacts>): Facts {
  const entries = Object.entries(facts).map(([path, fact]): [string, PathFacts] => [
    path,
    Object.assign({}, fact, what(fact)),
  ]);
  return Object.fromEntries(entries);
}
