import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { removeTree } from "../../src/system/remove-tree.ts";
import { chooseCount } from "../support/counts.ts";

// What removes a directory that a container could write to must not remove, or change, anything outside of it.

const isRoot = process.getuid?.() === 0;

function makeDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "xbuild-removal-"));
  onTestFinished(() => void execFileSync("rm", ["-rf", directory]));
  return directory;
}

/** 40 directories of 15 files, the inner ones nested, in a tree and in a victim that has the same names. */
const prepare = `
import os, sys
root = sys.argv[1]
for top in ("tree", "victim"):
  for i in range(40):
    inner = os.path.join(root, top, "d%d" % i, "in")
    os.makedirs(inner)
    for j in range(15): open(os.path.join(inner, "f%d" % j), "w").write("x")
    os.chmod(inner, 0o711)`;

/** Puts links to the victim in the place of the tree's directories, and takes them away again, for ever. */
const swap = `
import os, sys
root = sys.argv[1]
tree, victim, spare = (os.path.join(root, name) for name in ("tree", "victim", "spare"))
os.makedirs(spare, exist_ok=True)
print("up", flush=True)
def attempt(action, *args):
  try: action(*args)
  except OSError: pass
while True:
  for i in range(40):
    name = "d%d" % i
    place, link = os.path.join(tree, name), os.path.join(spare, "link")
    attempt(os.symlink, os.path.join(victim, name), link)
    attempt(os.rename, place, os.path.join(spare, name))
    attempt(os.rename, link, place)
    attempt(os.unlink, place)
    attempt(os.rename, os.path.join(spare, name), place)`;

function listAll(directory: string): readonly string[] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .map((name) => `${name} ${statSync(join(directory, name)).mode.toString(8)}`)
    .sort();
}

test("a process that swaps directories for links while they are removed leads nobody outside", async () => {
  for (let turn = 0; turn < chooseCount(200); turn += 1) {
    const root = makeDirectory();
    execFileSync("python3", ["-c", prepare, root]);
    const before = listAll(join(root, "victim"));
    const swapper = spawn("python3", ["-c", swap, root], { stdio: ["ignore", "pipe", "inherit"] });
    try {
      await once(swapper.stdout, "data");
      await removeTree(join(root, "tree"));
    } finally {
      swapper.kill("SIGKILL");
      await once(swapper, "close");
    }
    expect(listAll(join(root, "victim"))).toEqual(before);
    rmSync(root, { recursive: true });
  }
}, 600_000);

describe("whatever a build can leave", () => {
  test.each([
    [
      "5,000 levels of names of 200 characters",
      "for i in range(5000): os.mkdir('d'*200); os.chdir('d'*200)",
    ],
    ["30,000 files in one directory", "for i in range(30000): open('f%d'%i, 'w').close()"],
    [
      "names that are no UTF-8",
      "os.makedirs(b'a\\xff\\xfe/\\x80b/c'); open(b'a\\xff\\xfe/\\x80b/\\xc3', 'w').close()",
    ],
    [
      "names as the removal gives them",
      "os.makedirs('.removing-x-1/a'); open('.removing-x-1/a/f', 'w').close()",
    ],
    [
      "FIFOs, sockets and links",
      "import socket; os.mkfifo('f'); os.symlink('/etc', 'l'); s = socket.socket(socket.AF_UNIX); s.bind('s'); os.mkdir('d'); os.symlink('..', 'd/up')",
    ],
  ])("%s", async (_what, program) => {
    const tree = join(makeDirectory(), "tree");
    execFileSync("python3", [
      "-c",
      `import os, sys\nos.mkdir(sys.argv[1]); os.chdir(sys.argv[1])\n${program}`,
      tree,
    ]);
    expect(await removeTree(tree)).toBeUndefined();
    expect(statSync(tree, { throwIfNoEntry: false })).toBeUndefined();
  });

  test.runIf(isRoot)("directories of mode 000, as an ordinary user", async () => {
    const parent = makeDirectory();
    execFileSync("chmod", ["0777", parent]);
    const program =
      "import os, sys\nos.setgid(65534); os.setuid(65534)\nos.makedirs(sys.argv[1] + '/a/b/c'); open(sys.argv[1] + '/a/b/f', 'w').close()\nfor d in ('/a/b/c', '/a/b', '/a', ''): os.chmod(sys.argv[1] + d, 0)";
    execFileSync("python3", ["-c", program, join(parent, "tree")]);
    process.seteuid?.(65534);
    try {
      expect(await removeTree(join(parent, "tree"))).toBeUndefined();
    } finally {
      process.seteuid?.(0);
    }
    expect(readdirSync(parent)).toEqual([]);
  });
});

test.runIf(isRoot)("a mount in it is left, with all that is in the mount", async () => {
  const root = makeDirectory();
  const [tree, other] = [join(root, "tree"), join(root, "other")];
  execFileSync("mkdir", ["-p", join(tree, "a", "mount"), other]);
  execFileSync("sh", ["-c", 'echo kept > "$1/file"', "sh", other]);
  execFileSync("mount", ["--bind", other, join(tree, "a", "mount")]);
  try {
    expect(await removeTree(tree)).toBe("EBUSY");
    expect(readFileSync(join(other, "file"), "utf8")).toBe("kept\n");
  } finally {
    const mounts = readFileSync("/proc/mounts", "utf8").split("\n");
    const own = mounts
      .map((line) => line.split(" ")[1] ?? "")
      .filter((path) => path.startsWith(root));
    for (const path of own) execFileSync("umount", [path]);
  }
  expect(await removeTree(tree)).toBeUndefined();
});

test("a process that goes on writing there is no reason to wait or to fail", async () => {
  const tree = join(makeDirectory(), "tree");
  const program =
    "import os, sys, itertools\nos.mkdir(sys.argv[1]); os.mkdir(sys.argv[1] + '/d'); os.chdir(sys.argv[1] + '/d'); print('up', flush=True)\nfor i in itertools.count(): open('f%d' % (i % 1000), 'w').close()";
  const writer = spawn("python3", ["-c", program, tree], { stdio: ["ignore", "pipe", "ignore"] });
  await once(writer.stdout, "data");
  const left = await removeTree(tree);
  writer.kill("SIGKILL");
  await once(writer, "close");
  expect([undefined, "ENOTEMPTY"]).toContain(left);
  expect(await removeTree(tree)).toBeUndefined();
});

test("an interrupted removal leaves the rest to the next one", async () => {
  const tree = join(makeDirectory(), "tree");
  const program =
    "import os, sys\nos.mkdir(sys.argv[1]); os.chdir(sys.argv[1])\nfor i in range(2000): open('f%d'%i, 'w').close()";
  execFileSync("python3", ["-c", program, tree]);
  expect(await removeTree(tree, { signal: AbortSignal.abort(), patience: 0 })).toBe("interrupted");
  expect(readdirSync(tree).length).toBeGreaterThan(0);
  expect(await removeTree(tree)).toBeUndefined();
});
