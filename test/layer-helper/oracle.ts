import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import type { Stats } from "node:fs";
import { join } from "node:path";
import { makeScratch } from "./lab.ts";
import type { Lab } from "./lab.ts";

/** What an image says of a path: type, mode, owner, size, content or target, time, link group. */
export type Tree = ReadonlyMap<string, string>;

/**
 * The tree below a directory, path by path, with extended attributes. Sockets are no part of an image.
 * @param leaveOut paths, relative to the root, that are left out with all below them
 */
export function readTree(root: string, leaveOut: readonly string[] = []): Tree {
  const tree = new Map<string, string>();
  const firstNames = new Map<string, string>();
  const visit = (path: string): void => {
    for (const name of readdirSync(Buffer.from(join(root, path), "latin1"), {
      encoding: "buffer",
    })) {
      const child = join(path, name.toString("latin1"));
      if (leaveOut.includes(child)) continue;
      const place = Buffer.from(join(root, child), "latin1");
      const stats = lstatSync(place);
      if (stats.isSocket()) continue;
      tree.set(child, describe(place, child, stats, firstNames));
      if (stats.isDirectory()) visit(child);
    }
  };
  visit("");
  for (const [path, attributes] of readAttributes(root)) {
    const known = tree.get(path);
    if (known !== undefined) tree.set(path, `${known} ${attributes}`);
  }
  return new Map([...tree].sort(([one], [two]) => (one < two ? -1 : 1)));
}

function describe(
  place: Buffer,
  path: string,
  stats: Stats,
  firstNames: Map<string, string>,
): string {
  const owner = `${stats.mode.toString(8)} ${stats.uid}:${stats.gid}`;
  // What a directory's time says is when the tree was made.
  if (stats.isDirectory()) return owner;
  const time = Math.floor(stats.mtimeMs / 1000);
  if (stats.isSymbolicLink()) return `${owner} ${time} -> ${readlinkSync(place)}`;
  if (!stats.isFile()) return `${owner} ${time} device ${stats.rdev}`;
  const hash = createHash("sha256").update(readFileSync(place)).digest("hex");
  const inode = `${stats.dev}:${stats.ino}`;
  const first = firstNames.get(inode) ?? path;
  if (stats.nlink > 1) firstNames.set(inode, first);
  return `${owner} ${time} ${stats.size} ${hash} ${stats.nlink > 1 ? `links ${stats.nlink}` : ""}`;
}

/** Extended attributes by path, as `name=0x...` with blanks between. */
export function readAttributes(root: string): ReadonlyMap<string, string> {
  const listed = spawnSync("getfattr", ["-R", "-h", "-d", "-m", "-", "-e", "hex", "."], {
    cwd: root,
    encoding: "latin1",
    maxBuffer: 1 << 28,
  });
  if (listed.error !== undefined) throw listed.error;
  const attributes = new Map<string, string>();
  for (const block of listed.stdout.split("\n\n")) {
    const [header = "", ...lines] = block.split("\n");
    const path = header.replace(/^# file: /, "");
    if (path !== "") attributes.set(path, lines.sort().join(" "));
  }
  return attributes;
}

/** The image that a build's output makes: its layers, in order, one over the other. */
export function flatten(lab: Lab): string {
  const root = makeScratch();
  for (const entry of lab.entries()) {
    if (entry.path === undefined) throw new Error(`${entry.created_by} has no tar`);
    const flags = ["-p", "--numeric-owner", "--xattrs", "--xattrs-include=*"];
    const archive = join(lab.output, entry.path);
    const result = spawnSync("tar", [...flags, "-xf", archive, "-C", root], { encoding: "utf8" });
    if (result.status !== 0) throw new Error(`${entry.created_by}: ${result.stderr}`);
  }
  return root;
}

/** What each layer holds that is no directory, in the layers' order. */
export type Layers = Readonly<Record<string, readonly string[]>>;

/** @param root what was split */
export function readLayers(lab: Lab, root: string): Layers {
  const tree = readTree(root);
  const isFile = (path: string): boolean => !(tree.get(path) ?? "").startsWith("4");
  return Object.fromEntries(
    lab.entries().map(({ created_by: name }) => [name, lab.paths(name).filter(isFile)]),
  );
}

/** The differences between two trees, for a person to read. */
export function compareTrees(expected: Tree, actual: Tree): readonly string[] {
  const differences: string[] = [];
  for (const [path, line] of expected) {
    const other = actual.get(path);
    if (other !== line) differences.push(`${path}: ${line} is ${other ?? "not there"}`);
  }
  for (const path of actual.keys()) {
    if (!expected.has(path)) differences.push(`${path} should not be there`);
  }
  return differences;
}
