import { existsSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../registry/registry.ts";

/**
 * The environment for programs that look for credentials. Without a login session there is no
 * XDG_RUNTIME_DIR; each engine then has a directory of its own making, where its `login` writes, and
 * skopeo, which in their user namespace takes itself for root, would look in root's. A directory that is another
 * user's is none: everybody may make one in /tmp.
 */
export function withRuntimeDirectory(env: Environment): Environment {
  const uid = env["_CONTAINERS_ROOTLESS_UID"];
  const [found = uid && uid !== "0" ? join("/run/user", uid) : undefined] =
    listRuntimeDirectories(env);
  if (env["XDG_RUNTIME_DIR"] || found === undefined) return env;
  return { ...env, XDG_RUNTIME_DIR: found };
}

/** All such directories that have credentials: a user may have logged in with several engines. */
export function listRuntimeDirectories(env: Environment): readonly string[] {
  const uid = env["_CONTAINERS_ROOTLESS_UID"] || String(process.getuid?.() ?? 0);
  if (env["XDG_RUNTIME_DIR"] || uid === "0") return [];
  return listCandidates(env, uid).filter(hasCredentials);
}

/**
 * Of containers/storage (`pkg/homedir`, `GetRuntimeDir`; `containers-user-` until 1.38) and of podman
 * (`pkg/util`, `GetRootlessRuntimeDir`).
 */
function listCandidates(env: Environment, uid: string): readonly string[] {
  const temporary = [env["TMPDIR"], "/var/tmp", "/tmp"].filter((one) => one !== undefined);
  const names = ["containers-user-", "storage-run-", "podman-run-"];
  const own = temporary.flatMap((one) => names.map((name) => join(one, name + uid)));
  return [
    join("/run/user", uid),
    ...own.flatMap((one) => [join(one, "containers"), one]),
    join(env["HOME"] || homedir(), "rundir"),
  ];
}

function hasCredentials(directory: string): boolean {
  if (!existsSync(join(directory, "containers", "auth.json"))) return false;
  return statSync(directory, { throwIfNoEntry: false })?.uid === process.getuid?.();
}
