import { randomUUID } from "node:crypto";
import { hashText } from "../../oci/oci.ts";
import type { LeftoverChoice, Leftovers, RemovedLeftovers } from "../model.ts";
import type { ContainersCommands } from "./commands.ts";
import { findLeftovers } from "./find-leftovers.ts";
import { type NamingWorkspace, releaseNames, withNames } from "./names.ts";
import { measureGoing, planLeftovers } from "./plan-leftovers.ts";
import { readStorage } from "./storage-files.ts";

/** What builds left in the engine's storage. Errors: `engine-failed`, `engine-cannot-run`. */
export async function readLeftovers(
  commands: Pick<ContainersCommands, "locateStorage">,
): Promise<Leftovers> {
  const place = await commands.locateStorage();
  const files = await readStorage(place);
  const found = await findLeftovers(files);
  return {
    storage: place.root,
    images: found,
    size: measureGoing(new Set(found.flatMap((one) => (one.isShared ? [] : [one.id]))), files),
    plan: (choose) => planLeftovers(found, files, choose).result,
  };
}

/**
 * Removes of it what was chosen, and says what went: what a running build or a container uses stays, whoever's it is.
 * Nobody gives or takes names meanwhile. Errors: as `readLeftovers`, `store-lock`.
 */
export async function removeLeftovers(
  choose: LeftoverChoice,
  work: NamingWorkspace,
): Promise<RemovedLeftovers> {
  const { commands } = work;
  const place = await commands.locateStorage();
  const { before, plan } = await withNames(work, async () => {
    const files = await readStorage(place);
    const planned = planLeftovers(await findLeftovers(files), files, choose);
    const words = [...planned.names, ...planned.steps];
    for (const some of inParts(words)) await commands.removeImages(some);
    return { before: files, plan: planned };
  });
  if (plan.released.length > 0) await releaseNames(plan.released, hashText(randomUUID()), work);
  const after = await readStorage(place);
  const left = new Set(after.images.map(({ id }) => id));
  const leftNames = new Set(after.images.flatMap(({ names }) => names));
  const gone = new Set(before.images.flatMap(({ id }) => (left.has(id) ? [] : [id])));
  return {
    names: plan.result.names.filter((name) => !leftNames.has(name)),
    images: [...gone].sort(),
    freed: measureGoing(gone, before),
  };
}

/** How many names a call of the engine gets. */
const atOnce = 200;

function inParts<T>(items: readonly T[]): readonly (readonly T[])[] {
  const count = Math.ceil(items.length / atOnce);
  return Array.from({ length: count }, (_, at) => items.slice(at * atOnce, (at + 1) * atOnce));
}
