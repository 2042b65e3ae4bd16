import { createTurns } from "../../system/turns.ts";
import { createDescent } from "../read/descent.ts";
import type { OutputDirectory } from "../read/directory.ts";
import { listSteps } from "../read/list-names.ts";
import type { ByteString } from "../tar/entry.ts";
import { refuseTar } from "../tar/problems.ts";
import type { PackStream } from "./stream.ts";
import { packName, type TreeOptions, type TreePacking } from "./tree-entry.ts";

/** No tree that people make comes near. What unpacks layers often needs a call or an open directory for each level. */
const maxDepth = 1000;

/** A directory on the way down, and how much of it is done. */
interface Level {
  readonly prefix: ByteString;
  readonly steps: readonly ByteString[];
  next: number;
}

/**
 * Writes a tree in the order of its paths' bytes, parents before children, without an entry for its root.
 * Nothing is followed, and only plain files are opened. Errors: `output-changed`, `output-unreadable`,
 * `layer-tar-...`, `layer-too-large`.
 */
export async function packTree(
  root: OutputDirectory,
  stream: PackStream,
  options: TreeOptions,
): Promise<void> {
  const packing: TreePacking = { ...options, stream, linked: new Map() };
  const descent = createDescent(root);
  try {
    const levels = [await listLevel(packing, root, "")];
    for (let level = levels[0]; level !== undefined; level = levels.at(-1)) {
      const step = level.steps[level.next];
      level.next += 1;
      if (step === undefined) {
        levels.pop();
        descent.leave();
      } else if (step.endsWith("/")) {
        descent.enter(step.slice(0, -1));
        assertDepth(packing, levels.length);
        levels.push(await listLevel(packing, descent.current(), level.prefix + step));
      } else {
        await stream.turn();
        const path = level.prefix + step;
        await packName(packing, { directory: descent.current(), name: step, path });
      }
    }
  } finally {
    descent.close();
  }
}

function assertDepth({ stream }: TreePacking, depth: number): void {
  if (depth < maxDepth) return;
  const message = `directories are nested more than ${maxDepth} deep`;
  throw refuseTar("layer-tar-broken", message, stream.options.shown);
}

async function listLevel(
  { stream }: TreePacking,
  directory: OutputDirectory,
  prefix: ByteString,
): Promise<Level> {
  const steps = await listSteps(directory, createTurns(stream.options.signal));
  return { prefix, steps, next: 0 };
}
