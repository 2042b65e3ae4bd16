import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { joinHelper } from "../../scripts/join-helper.mjs";

/** The parts of the shell helper. */
export const helperParts = fileURLToPath(new URL("../../helper", import.meta.url));

/** The shell helper, joined from its parts as they are now. */
export const joinedHelper = joinHelper(helperParts);

/** A directory with the program `layer` in it, as a build needs it: joined from the parts as they are now. */
export function writeJoinedHelper(): string {
  const directory = fileURLToPath(new URL("../../.cache/helper", import.meta.url));
  const unfinished = join(directory, `layer.${process.pid}`);
  mkdirSync(directory, { recursive: true });
  writeFileSync(unfinished, joinedHelper.text, { mode: 0o755 });
  // Several test processes write the same.
  renameSync(unfinished, join(directory, "layer"));
  return directory;
}
