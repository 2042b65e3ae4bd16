import { statSync } from "node:fs";
import { homedir } from "node:os";
import { basename, join } from "node:path";
import type { Environment } from "../registry/registry.ts";

/**
 * The environment for programs that look for credentials. Without a login session there is no
 * XDG_RUNTIME_DIR; each engine then has a directory of its own making, where its `login` writes (podman sets it as
 * XDG_RUNTIME_DIR in its namespace), and skopeo, which in their user namespace takes itself for root, would look in
 * root's: whoever logged in with one program may build with the other. The last login counts.
 */
export function withRuntimeDirectory(env: Environment): Environment {
  const uid = env["_CONTAINERS_ROOTLESS_UID"];
  const [found = uid && uid !== "0" ? join("/run/user", uid) : undefined] =
    listRuntimeDirectories(env);
  if (isGiven(env) || found === undefined) return env;
  return { ...env, XDG_RUNTIME_DIR: found };
}

/** All such directories that have credentials, the last login first: a user may have logged in with several engines. */
export function listRuntimeDirectories(env: Environment): readonly string[] {
  if (isGiven(env) || ownerOf(env) === "0") return [];
  return listCandidates(env)
    .map((directory) => ({ directory, time: timeOfLogin(directory) }))
    .filter(({ time }) => time > 0)
    .toSorted((a, b) => b.time - a.time)
    .map(({ directory }) => directory);
}

/** Whether there is a login session's directory: podman's own is none. */
function isGiven(env: Environment): boolean {
  const given = env["XDG_RUNTIME_DIR"];
  return Boolean(given) && basename(given ?? "") !== `podman-run-${ownerOf(env)}`;
}

function ownerOf(env: Environment): string {
  return env["_CONTAINERS_ROOTLESS_UID"] || String(process.getuid?.() ?? 0);
}

/**
 * Of containers/storage (`pkg/homedir`, `GetRuntimeDir`; `containers-user-` until 1.38) and of podman
 * (`pkg/util`, `GetRootlessRuntimeDir`).
 */
function listCandidates(env: Environment): readonly string[] {
  const uid = ownerOf(env);
  const given = env["XDG_RUNTIME_DIR"];
  const temporary = [env["TMPDIR"], "/var/tmp", "/tmp"].filter((one) => one !== undefined);
  const names = ["containers-user-", "storage-run-", "podman-run-"];
  const own = temporary.flatMap((one) => names.map((name) => join(one, name + uid)));
  const all = [
    ...(given ? [given] : []),
    join("/run/user", uid),
    ...own.flatMap((one) => [join(one, "containers"), one]),
    join(env["HOME"] || homedir(), "rundir"),
  ];
  return [...new Set(all)];
}

/**
 * When credentials were last written there: a logout leaves a file without any. 0 where there is none of this user's:
 * everybody may make such a directory in /tmp.
 */
function timeOfLogin(directory: string): number {
  try {
    const { mtimeMs, uid } = statSync(join(directory, "containers", "auth.json"));
    const isOwn = [uid, statSync(directory).uid].every((one) => one === process.geteuid?.());
    return isOwn ? mtimeMs : 0;
  } catch {
    return 0;
  }
}
