import { constants, copyFile, link, rm } from "node:fs/promises";
import { systemCode } from "../../system/errno.ts";
import { settleFile } from "../../system/durable.ts";
import { blobMode } from "./files.ts";

/** Makes a new file with the content of another. */
export type Duplicate = (source: string, target: string) => Promise<void>;

/**
 * A reflink shares nothing that can be written to; a copy always works. A hard link costs as little as a reflink,
 * and is the store's very file: only for directories of our own, for whoever may change the mode or owner of
 * what lies elsewhere (`chown -R`) would change the store. What does not work once is not tried again.
 */
export function createDuplicator(options: { readonly mayLink: boolean }): Duplicate {
  let usable: readonly Duplicate[] = [reflink, ...(options.mayLink ? [link] : [])];
  return async (source, target) => {
    for (const attempt of usable) {
      if (await succeeds(attempt(source, target))) return;
      usable = usable.filter((one) => one !== attempt);
      await rm(target, { force: true });
    }
    await copyFile(source, target, constants.COPYFILE_EXCL);
    await settleFile(target, blobMode);
  };
}

function reflink(source: string, target: string): Promise<void> {
  return copyFile(source, target, constants.COPYFILE_FICLONE_FORCE | constants.COPYFILE_EXCL);
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
