import { accessSync, constants, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { XbuildError } from "../errors.ts";
import { systemCode } from "./errno.ts";
import { closeToOthers } from "./private-directory.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * A directory where all processes of this user meet, and nobody else gets in. A place in /tmp alone would not do:
 * another user could be there first. In the engine's user namespace everybody has the ID 0: there the engine's
 * variable tells who it is. Errors: `store-lock`.
 */
export function findUserDirectory(env: Environment): string {
  const user = env["_CONTAINERS_ROOTLESS_UID"] ?? String(process.getuid?.() ?? 0);
  for (const place of listPlaces(env, user)) {
    if (isUsable(place)) return place;
  }
  throw new XbuildError("store-lock", "there is no directory that only this user can use", {
    hint: "set XDG_RUNTIME_DIR or HOME to a directory that this user may write",
  });
}

function listPlaces(env: Environment, user: string): readonly string[] {
  const { XDG_RUNTIME_DIR: runtime, XDG_CACHE_HOME: cache, HOME: home } = env;
  const parents = [
    ...(runtime ? [runtime] : []),
    ...(user === "0" ? ["/run"] : []),
    ...(cache ? [cache] : []),
    ...(home ? [join(home, ".cache")] : []),
  ];
  return [...parents.map((parent) => join(parent, "xbuild")), join(tmpdir(), `xbuild-${user}`)];
}

/** Made where it can be, and ours: then others are kept out of it. */
function isUsable(path: string): boolean {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
    accessSync(path, constants.W_OK);
    return closeToOthers(path).owner === "own";
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
