import { spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  type Stats,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { makeScratch, type Lab } from "./lab.ts";
import { readAttributes, readTree, type Tree } from "./oracle.ts";
import { execute } from "./roots.ts";

// Layers above a base, as an engine puts them together. image-spec v1.1, layer.md, "Applying Changesets".

/** A copy of the tree with all that it has. */
export function copyTree(root: string): string {
  const copy = makeScratch();
  execute("cp", ["-a", "--no-target-directory", root, copy]);
  return copy;
}

/** The image: the base, and the layers of a build's output above it, in order. */
export function stack(base: string, lab: Lab): string {
  const root = copyTree(base);
  for (const entry of lab.entries()) {
    if (entry.path === undefined) throw new Error(`${entry.created_by} has no tar`);
    applyLayer(unpack(join(lab.output, entry.path)), root);
  }
  return root;
}

/** The layer alone, whiteouts as files. What has no entry but is above one comes out as an engine makes it. */
function unpack(archive: string): string {
  const layer = makeScratch();
  const flags = ["-p", "--numeric-owner", "--xattrs", "--xattrs-include=*"];
  execute("tar", [...flags, "-xf", archive, "-C", layer]);
  return layer;
}

function applyLayer(layer: string, root: string): void {
  const paths = listPaths(layer);
  for (const path of paths) {
    const name = basename(path);
    if (!name.startsWith(".wh.")) continue;
    if (name.startsWith(".wh..wh.")) throw new Error(`no plain whiteout: ${path}`);
    if (statOf(layer, path)?.size !== 0) throw new Error(`not empty: ${path}`);
    // What is not there needs no whiteout.
    const removed = join(dirname(path), name.slice(".wh.".length));
    if (statOf(root, removed) === undefined) throw new Error(`removes nothing: ${path}`);
    rmSync(bytes(root, removed), { recursive: true });
  }
  const attributes = { above: readAttributes(layer), below: readAttributes(root) };
  for (const path of paths) {
    if (basename(path).startsWith(".wh.")) continue;
    const entry = statOf(layer, path);
    if (entry?.isDirectory() === true) applyDirectory(path, entry, { layer, root, ...attributes });
    else {
      rmSync(bytes(root, path), { recursive: true, force: true });
      renameSync(bytes(layer, path), bytes(root, path));
    }
  }
}

interface Place {
  readonly layer: string;
  readonly root: string;
  readonly above: ReadonlyMap<string, string>;
  readonly below: ReadonlyMap<string, string>;
}

function applyDirectory(path: string, entry: Stats, { root, above, below }: Place): void {
  const now = statOf(root, path);
  if (now?.isDirectory() !== true) {
    rmSync(bytes(root, path), { force: true });
    mkdirSync(bytes(root, path));
  } else
    for (const line of (below.get(path) ?? "").split(" ").filter((one) => one !== ""))
      execute("setfattr", ["-x", line.split("=")[0] ?? "", join(root, path)]);
  chownSync(bytes(root, path), entry.uid, entry.gid);
  chmodSync(bytes(root, path), entry.mode & 0o7777);
  for (const line of (above.get(path) ?? "").split(" ").filter((one) => one !== "")) {
    const [name = "", value = ""] = line.split("=");
    execute("setfattr", ["-n", name, "-v", value, join(root, path)]);
  }
}

/** All below a directory, what is above first; a name is a character a byte. */
function listPaths(root: string, folder = ""): readonly string[] {
  const paths: string[] = [];
  for (const name of readdirSync(bytes(root, folder), { encoding: "buffer" })) {
    const path = join(folder, name.toString("latin1"));
    paths.push(path);
    if (statOf(root, path)?.isDirectory() === true) paths.push(...listPaths(root, path));
  }
  return paths;
}

function statOf(root: string, path: string): Stats | undefined {
  return lstatSync(bytes(root, path), { throwIfNoEntry: false });
}

function bytes(root: string, path: string): Buffer {
  return Buffer.from(join(root, path), "latin1");
}

/** The tree without times, which stay the base's where nothing else has changed; and which names are one file's. */
export function readTimeless(root: string): Tree {
  const firstNames = new Map<string, string>();
  const tree = new Map<string, string>();
  for (const [path, line] of readTree(root)) {
    const { dev, ino } = statOf(root, path) ?? { dev: 0, ino: 0 };
    const first = firstNames.get(`${dev}:${ino}`) ?? path;
    firstNames.set(`${dev}:${ino}`, first);
    tree.set(path, `${line.replace(/^(\S+ \S+) -?\d+ /, "$1 ")} of ${first}`);
  }
  return tree;
}

/** What the layers hold that is in the base just so, directories aside: nothing of it should be written. */
export function listNeedless(base: string, root: string, lab: Lab): readonly string[] {
  const [below, now] = [readTimeless(base), readTimeless(root)];
  return lab
    .entries()
    .flatMap(({ path = "" }) => listPaths(unpack(join(lab.output, path))))
    .filter((path) => {
      const line = now.get(path);
      return line !== undefined && !line.startsWith("4") && line === below.get(path);
    });
}

/** Runs a shell script in a directory. */
export function runIn(directory: string, script: string): void {
  const result = spawnSync("sh", ["-ec", script], { cwd: directory, encoding: "utf8" });
  if (result.status !== 0) throw new Error(result.stderr);
}
