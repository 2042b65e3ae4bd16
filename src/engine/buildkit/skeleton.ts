import { chmod, mkdir, writeFile } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { dirname, join } from "node:path";
import { tellUnknownFile } from "./lower.ts";

/**
 * Makes the `output` that steps find, beside the root of the layers directory: the same directories as on this machine,
 * which every user of the container may write to.
 */
export async function writeSkeleton(root: string): Promise<void> {
  const output = join(dirname(root), "skeleton", "output");
  await mkdir(join(output, "blobs", "sha256"), { recursive: true });
  await mkdir(join(output, "layers"), { recursive: true });
  for (const path of [
    output,
    join(output, "blobs"),
    join(output, "blobs", "sha256"),
    join(output, "layers"),
  ])
    await chmod(path, 0o777);
}

/**
 * Layering steps run whenever they are asked for: no cache has seen this directory before. @returns what else stands for
 * this run alone, and is not told to its steps
 */
export async function writeRunMark(root: string): Promise<string> {
  const path = join(root, "bin", "run");
  await writeFile(path, `${randomBytes(16).toString("hex")}\n`);
  await chmod(path, 0o644);
  await writeFile(join(root, tellUnknownFile), "");
  return `xbuild-end-${randomBytes(16).toString("hex")}`;
}
