import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { readInput } from "../../system/read-input.ts";
import type { SplitRequest } from "../request/split-request.ts";

/** Puts the files that a split reads into the directory that its step mounts. Errors: `file-not-found`, the signal's reason */
export async function copySplitFiles(
  { map, plan }: Pick<SplitRequest, "map" | "plan">,
  directory: string,
  signal: AbortSignal,
): Promise<void> {
  for (const [name, path] of Object.entries({ map, plan })) {
    if (path === undefined) continue;
    const bytes = await readInput(path, signal).catch((cause: unknown) => {
      signal.throwIfAborted();
      throw new XbuildError("file-not-found", `--${name}: the file ${path} cannot be read`, {
        hint: "check that it is there, and that this user may read it",
        exitStatus: exitStatuses.usage,
        cause,
      });
    });
    await writeFile(join(directory, name), bytes, { mode: 0o644 });
  }
}
