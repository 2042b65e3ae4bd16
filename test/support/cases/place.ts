import { chmod, lstat, lutimes, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { execa } from "execa";
import { pack } from "tar-stream";
import type { Sandbox } from "../sandbox.ts";
import type { Node, Tree, World } from "./world.ts";

/** Where a case's world stands. */
export interface Place {
  readonly sandbox: Sandbox;
  readonly directory: string;
}

/**
 * Writes a world down: what differs from the one that stands there, and no more; images that depend on it
 * are built again and take their names along.
 */
export async function placeWorld(
  { sandbox, directory }: Place,
  world: World,
  { before, keepsTimes }: { readonly before?: World; readonly keepsTimes?: boolean } = {},
): Promise<void> {
  const changed = new Set<string>();
  for (const [name, tree] of Object.entries(world.directories)) {
    const old = before?.directories[name];
    if (await placeTree(join(directory, name), { tree, old: old ?? {}, keepsTimes })) {
      changed.add(name);
    }
  }
  await mkdir(dirname(containerfilePath(directory, world)), { recursive: true });
  if (world.containerfile !== before?.containerfile) {
    await writeFile(containerfilePath(directory, world), world.containerfile);
  }
  for (const [name, recipe] of Object.entries(world.images)) {
    const isSame = before?.images[name]?.text === recipe.text && !changed.has(recipe.directory);
    const isOnChanged = [...changed].some((one) => recipe.text.startsWith(`FROM ${one}\n`));
    if (isSame && !isOnChanged) continue;
    changed.add(name);
    const file = join(directory, "image.Containerfile");
    await writeFile(file, recipe.text);
    const words = ["--quiet", "--layers=false", "--format=docker", "-f", file, "-t", name];
    await sandbox.exec("buildah", "build", ...words, join(directory, recipe.directory));
  }
}

export function containerfilePath(directory: string, { isInside }: World): string {
  return join(directory, isInside ? "context" : "file", "Containerfile.x");
}

/** @returns whether anything was to be done */
async function placeTree(
  directory: string,
  {
    tree,
    old,
    keepsTimes,
  }: { readonly tree: Tree; readonly old: Tree; readonly keepsTimes?: boolean | undefined },
): Promise<boolean> {
  await mkdir(directory, { recursive: true });
  let isChanged = false;
  for (const path of Object.keys(old)) {
    if (tree[path] !== undefined) continue;
    await rm(join(directory, path), { recursive: true });
    isChanged = true;
  }
  for (const [path, node] of Object.entries(tree)) {
    if (JSON.stringify(old[path]) === JSON.stringify(node)) continue;
    await placeNode(join(directory, path), node, keepsTimes === true);
    isChanged = true;
  }
  return isChanged;
}

async function placeNode(path: string, node: Node, keepsTimes: boolean): Promise<void> {
  const old = await lstat(path).catch(() => undefined);
  await mkdir(dirname(path), { recursive: true });
  if (old !== undefined && node.kind !== "directory") await rm(path, { recursive: true });
  await writeNode(path, node);
  if (keepsTimes && old !== undefined) await lutimes(path, old.atime, old.mtime);
}

async function writeNode(path: string, node: Node): Promise<void> {
  switch (node.kind) {
    case "link":
      return symlink(node.to, path);
    case "directory":
      await mkdir(path, { recursive: true });
      return chmod(path, node.mode);
    case "archive": {
      const tar = pack();
      for (const [name, text] of Object.entries(node.members)) {
        tar.entry({ name, mtime: new Date(1_000_000_000_000) }, text);
      }
      tar.finalize();
      return pipeline(tar, createWriteStream(path));
    }
    case "file":
      await writeFile(path, node.text);
      await chmod(path, node.mode);
      if (node.capability !== undefined) await execa("setcap", [node.capability, path]);
  }
}
