import { statSync } from "node:fs";
import { toEntry } from "./entry.ts";
import type { Helpers } from "./helpers.ts";
import type { KnownNames } from "./known-names.ts";
import { createStatQueue, type Take } from "./stat-queue.ts";
import { type WalkOptions, walkTree } from "./walk.ts";

export interface VisitOptions {
  readonly options: WalkOptions;
  readonly known?: KnownNames | undefined;
  /** Those who may help where there is much to do. */
  readonly helpers: Helpers;
}

/** All that is in a directory and not ignored, in the order of the walk; of a single file that alone. */
export async function visitTree(root: string, visit: VisitOptions, take: Take): Promise<void> {
  const { options, helpers } = visit;
  // The root itself may be a link, as it may for the engine.
  const status = statSync(root);
  if (!status.isDirectory() || options.withRoot === true) await take(toEntry("", status));
  if (!status.isDirectory()) return;
  const queue = createStatQueue({ root, helpers, take });
  await walkTree(root, visit, (path, _type, entry) => queue.add(path, entry));
  await queue.finish();
}
