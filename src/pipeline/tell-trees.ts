import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { markTrees } from "../context/context.ts";
import type { Build } from "./workspace.ts";

/**
 * Writes `bin/trees` for the helper: what the directories that steps have mounted were when they were looked at, a line
 * each, `device:inode mark`. One that has the mark which it had in an earlier build need not be looked at again. Nothing
 * is told where a step of the file may write to such a directory.
 * @param root what the steps find at the path of OUTPUT
 */
export function tellTrees({ plan, inputs }: Build, root: string): void {
  const reads = [...plan.graph.stages, ...plan.dependencies.stages].flatMap((one) => one.reads);
  if (reads.some((one) => one.isWritable)) return;
  const mounted = (inputs.reads ?? []).filter(({ role }) => /^(?:mounted|volume) /.test(role));
  const lines = mounted.flatMap(({ role, path }) => {
    const found = inputs.directories.get(role);
    return found === undefined ? [] : markTrees(path, found.snapshot);
  });
  if (lines.length === 0) return;
  const text = lines.map(({ dev, ino, mark }) => `${dev}:${ino} ${mark}\n`).join("");
  const unfinished = join(root, "bin", ".trees");
  try {
    // A step may be about to begin.
    writeFileSync(unfinished, text);
    chmodSync(unfinished, 0o644);
    renameSync(unfinished, join(root, "bin", "trees"));
  } catch {
    // Then the helper looks itself.
  }
}
