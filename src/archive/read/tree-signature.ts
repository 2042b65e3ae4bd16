import { createHash } from "node:crypto";
import { createTurns } from "../../system/turns.ts";
import { createDescent } from "./descent.ts";
import { identifyFile, type OutputDirectory } from "./directory.ts";
import { listSteps } from "./list-names.ts";

/**
 * Equal for a tree of which nothing has been written to, moved or replaced in between, as stat(2) tells of each of its
 * names (`identifyFile`); nothing is read. Undefined where something changed after `before` (milliseconds since 1970).
 * Errors: `output-changed`, `output-unreadable`, `output-file-type`.
 */
export async function signTree(
  root: OutputDirectory,
  before: number,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  const hash = createHash("sha256");
  const turns = createTurns(signal);
  const descent = createDescent(root);
  /** Of each directory on the way down: what is left of it. */
  const levels = [(await listSteps(root, turns))[Symbol.iterator]()];
  const add = (name: string): boolean => {
    const identity = identifyFile(descent.current(), name, before);
    hash.update(`${name}\0${identity}\n`, "latin1");
    return identity !== undefined;
  };
  try {
    if (!add(".")) return undefined;
    for (let level = levels[0]; level !== undefined; level = levels.at(-1)) {
      const { done, value: step } = level.next();
      if (done === true) {
        levels.pop();
        hash.update("/\n");
        descent.leave();
      } else if (step.endsWith("/")) {
        descent.enter(step.slice(0, -1));
        levels.push((await listSteps(descent.current(), turns))[Symbol.iterator]());
      } else if (!add(step)) return undefined;
    }
    return hash.digest("hex");
  } finally {
    descent.close();
  }
}
