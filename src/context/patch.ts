import { createTurns } from "../system/turns.ts";
import { createCompletion } from "./completion.ts";
import type { Change } from "./find-changes.ts";
import type { Merged, MergeOptions } from "./merge.ts";
import { recordSnapshot } from "./record.ts";
import type { Snapshot } from "./snapshot.ts";

/**
 * A known tree with these changes, whose names are the same: blocks without one are taken as they are. undefined where
 * something went away meanwhile.
 */
export async function patchSnapshot(
  known: Snapshot,
  changes: readonly Change[],
  options: MergeOptions,
): Promise<Merged | undefined> {
  const recording = recordSnapshot(options, options.directory);
  const completion = createCompletion(options, recording.add);
  const turn = createTurns(options.signal);
  let [start, next] = [0, 0];
  try {
    for (const block of known.blocks()) {
      const end = start + block.count;
      if ((changes[next]?.at ?? end) < end) {
        for (let at = 0; at < block.count; at += 1) {
          const change = changes[next]?.at === start + at ? changes[next++] : undefined;
          const { entry, content } = change ? { ...change, content: undefined } : block.knownAt(at);
          await (completion.add(entry, content) ?? turn());
        }
      } else {
        await completion.flush();
        recording.addBlock(block);
      }
      start = end;
    }
    const read = await completion.finish();
    const snapshot = recording.finish();
    return snapshot.count === known.count ? { snapshot, read } : undefined;
  } finally {
    completion.close();
  }
}
