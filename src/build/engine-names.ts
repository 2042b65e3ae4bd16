import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { Engine } from "../engine/model.ts";
import { withLock } from "../store/lock.ts";

/**
 * Gives names to an image in the engine's storage. The engines read an image's list of names and write
 * it back whole: two at once lose a name, or bring one back (tried with buildah 1.28), so every xbuild of
 * this user waits for the others here.
 */
export async function addNames(
  engine: Engine,
  id: string,
  names: readonly string[],
): Promise<void> {
  if (names.length > 0) await withLock(lockPath(), () => engine.tag(id, names));
}

/** Takes names away, and images that then have none. Idempotent. */
export async function dropNames(engine: Engine, names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  await withLock(lockPath(), async () => {
    // One by one: a name that is not there ends the engine's call.
    for (const name of names) await engine.removeImages([name]);
  });
}

/**
 * Where all processes of this user meet, whatever store they use. In the engine's user namespace everybody
 * has the ID 0: there the engine's variable tells who it is.
 */
function lockPath(): string {
  const { XDG_RUNTIME_DIR: runtime, _CONTAINERS_ROOTLESS_UID: outside } = process.env;
  const directory = [runtime, "/run", "/tmp"].find((one) => one !== undefined && isWritable(one));
  const user = outside ?? String(process.getuid?.() ?? 0);
  return join(directory ?? "/tmp", `xbuild-names-${user}.lock`);
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
