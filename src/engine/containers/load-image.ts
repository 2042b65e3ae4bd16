import { copyAs } from "../../copy/copy.ts";
import type { LoadSource } from "../model.ts";
import { addNames, type NamingWorkspace } from "./names.ts";

/** Loads an image into the engine's storage under these names. Errors: `copy-failed`, `store-lock`. */
export async function loadImage(
  source: LoadSource,
  names: readonly string[],
  work: NamingWorkspace,
): Promise<void> {
  const { commands, signal } = work;
  const [first = ""] = names;
  const destination = `containers-storage:${commands.storageSpecifier()}${first}`;
  await copyAs(source, destination, signal);
  // A copy of the same image beside ours may have written back a list of names without this one.
  if (names.length > 1 || (await commands.findImage(first)) === undefined) {
    // In Docker's format its ID is another one.
    const id = source.format === "docker" ? first : source.image.manifest.config.digest;
    await addNames(id, names, work);
  }
}
