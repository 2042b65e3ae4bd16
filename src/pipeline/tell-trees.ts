import { chmodSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type MarkedTree, markTrees } from "../context/context.ts";
import type { Build } from "./workspace.ts";

/**
 * Writes `bin/trees` for the helper: what the directories that steps have mounted were when they were looked at, a line
 * each, `device:inode mark`. One that has the mark which it had in an earlier build need not be looked at again. Nothing
 * is told where a step of the file may write to such a directory, or where nobody looks again when the steps are over.
 * @param root what the steps find at the path of OUTPUT
 */
export function tellTrees({ plan, inputs }: Build, root: string): void {
  const reads = [...plan.graph.stages, ...plan.dependencies.stages].flatMap((one) => one.reads);
  const isConfirmed = inputs.key !== undefined || inputs.exactKey !== undefined;
  if (!isConfirmed || reads.some((one) => one.isWritable)) return;
  const mounted = (inputs.reads ?? []).filter(({ role }) => /^(?:mounted|volume) /.test(role));
  const trees = mounted.flatMap(({ role, path, only }) => {
    const found = inputs.directories.get(role);
    const isWhole = only === undefined;
    return found === undefined ? [] : markTrees(path, { snapshot: found.snapshot, isWhole });
  });
  const text = renderMarks(trees);
  if (text === "") return;
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

/** A line for each directory. One of which two looks have found different things has changed between them. */
function renderMarks(trees: readonly MarkedTree[]): string {
  const marks = new Map<string, string | undefined>();
  for (const { dev, ino, mark } of trees) {
    const name = `${dev}:${ino}`;
    marks.set(name, marks.has(name) && marks.get(name) !== mark ? undefined : mark);
  }
  return [...marks]
    .flatMap(([name, mark]) => (mark === undefined ? [] : `${name} ${mark}\n`))
    .join("");
}
