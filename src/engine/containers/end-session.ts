import { XbuildError } from "../../errors.ts";
import type { ContainersCommands, StoredImage } from "./commands.ts";
import { dropNames, releaseNames } from "./names.ts";
import { isPinName } from "./run-names.ts";
import type { Session } from "./session-state.ts";

/** Takes the run's names away. Idempotent. Errors: `engine-failed`, `store-lock`. */
export async function endSession(session: Session): Promise<void> {
  const names = session.claimed.splice(0);
  const lonely = await listLonely(names, session);
  try {
    if (lonely.length > 0) await releaseNames(lonely, session.label, session);
  } finally {
    await dropNames(
      names.filter((name) => !lonely.includes(name)),
      session,
    );
  }
}

/**
 * Names of ours of images from outside that have no other: one of a manifest list would go with it. Only a platform
 * leads to such.
 */
async function listLonely(
  names: readonly string[],
  { commands, build, label }: Session,
): Promise<readonly string[]> {
  const pins = new Set(names.filter((name) => isPinName(name, label)));
  if (build.platforms.size === 0 || pins.size === 0) return [];
  const images = await listStored(commands);
  // Where it cannot be known, no image goes with a name.
  if (images === undefined) return [...pins];
  const kept = new Set(
    images.flatMap(({ id, name }) => (name === undefined || names.includes(name) ? [] : [id])),
  );
  return images.flatMap(({ id, name }) =>
    name !== undefined && pins.has(name) && !kept.has(id) ? [name] : [],
  );
}

/** undefined where the engine does not tell. */
async function listStored({
  listImages,
}: ContainersCommands): Promise<readonly StoredImage[] | undefined> {
  try {
    return await listImages();
  } catch (error) {
    if (!(error instanceof XbuildError) || error.code !== "engine-failed") throw error;
    return undefined;
  }
}
