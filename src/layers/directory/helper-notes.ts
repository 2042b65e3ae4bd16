import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Where the helper writes down, in `output/`, which name `layer keep` did not find last: no part of the protocol. */
export const unknownNameFile = ".layer-unknown";

/** All that it writes down there for itself: also which tar it has found. */
export const helperNotes: readonly string[] = [unknownNameFile, ".layer-tar"];

/** In a copy of `output/state`: what `layer each` was told of trees (`bin/trees`), and what it has seen there. */
const treesFile = /^each-[0-9a-f]+-trees$/;

/** Takes that out of the copy, where what was told may not be what was seen. */
export function forgetTrees(state: string): void {
  for (const name of readdirSync(state)) {
    if (treesFile.test(name)) rmSync(join(state, name), { recursive: true });
  }
}
