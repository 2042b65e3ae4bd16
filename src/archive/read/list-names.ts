import { iterateEntries, iterateNames } from "../../system/directory.ts";
import type { ByteString } from "../tar/entry.ts";
import type { OutputDirectory } from "./directory.ts";
import { explain } from "./problems.ts";

/** Names in bytewise order, of which so many at most are read. */
export function listNames(
  directory: OutputDirectory,
  most = Number.POSITIVE_INFINITY,
): ByteString[] {
  try {
    const names: ByteString[] = [];
    for (const name of iterateNames(directory)) {
      names.push(name.toString("latin1"));
      if (names.length >= most) break;
    }
    return names.sort();
  } catch (cause) {
    throw explain(directory.shown, cause);
  }
}

/**
 * The names in bytewise order, and each directory's once more with a slash, which stands for what is in
 * it: what is in `a` comes behind `a-b`, for a slash is the larger byte. `turn` is awaited now and then.
 */
export async function listSteps(
  directory: OutputDirectory,
  turn: () => Promise<void> | undefined,
): Promise<ByteString[]> {
  const steps: ByteString[] = [];
  try {
    for (const entry of iterateEntries(directory)) {
      const name = entry.name.toString("latin1");
      steps.push(name);
      if (entry.isDirectory) steps.push(`${name}/`);
      await turn();
    }
  } catch (cause) {
    throw explain(directory.shown, cause);
  }
  return steps.sort();
}
