import { constants, copyFile, link, rm } from "node:fs/promises";
import { systemCode } from "./failures.ts";
import { settleFile } from "./files.ts";

/** Makes a new file with the content of another. */
export type Duplicate = (source: string, target: string) => Promise<void>;

/**
 * A reflink shares nothing that can be written to; a hard link costs as little; a copy always works.
 * What does not work once is not tried again.
 */
export function createDuplicator(): Duplicate {
  const cheap: readonly Duplicate[] = [
    (source, target) => copyFile(source, target, constants.COPYFILE_FICLONE_FORCE),
    link,
  ];
  let usable = cheap;
  return async (source, target) => {
    for (const attempt of usable) {
      if (await succeeds(attempt(source, target))) return;
      usable = usable.filter((one) => one !== attempt);
      await rm(target, { force: true });
    }
    await copyFile(source, target);
    await settleFile(target);
  };
}

async function succeeds(attempt: Promise<void>): Promise<boolean> {
  try {
    await attempt;
    return true;
  } catch (error) {
    // Whatever else is wrong (no space, no permission) is so for the copy too, which then says it.
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
