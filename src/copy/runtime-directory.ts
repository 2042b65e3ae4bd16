import { statSync } from "node:fs";
import { basename, join } from "node:path";
import type { Environment } from "../registry/registry.ts";

/**
 * The environment for programs that look for credentials. Without a login session there is no
 * XDG_RUNTIME_DIR; the engines then have a directory of their own making, where their `login` writes, and
 * skopeo, which in their user namespace takes itself for root, would look in root's. The candidates are those
 * of containers/storage (`pkg/homedir`), and podman's own, which it sets as XDG_RUNTIME_DIR in its namespace:
 * whoever logged in with one program may build with the other.
 */
export function withRuntimeDirectory(env: Environment): Environment {
  const uid = env["_CONTAINERS_ROOTLESS_UID"] || String(process.getuid?.() ?? 0);
  const podmans = `podman-run-${uid}`;
  const given = env["XDG_RUNTIME_DIR"];
  if (uid === "0" || (given && basename(given) !== podmans)) return env;
  const temporary = [env["TMPDIR"], "/var/tmp", "/tmp"].filter((one) => one !== undefined);
  const candidates = [
    ...(given ? [given] : []),
    join("/run/user", uid),
    ...temporary.flatMap((one) => {
      const own = join(one, `containers-user-${uid}`);
      return [join(own, "containers"), own, join(one, podmans)];
    }),
  ];
  const [latest] = candidates
    .map((one) => ({ one, time: timeOfLogin(one) }))
    .filter(({ time }) => time > 0)
    .toSorted((a, b) => b.time - a.time);
  return { ...env, XDG_RUNTIME_DIR: latest?.one ?? given ?? join("/run/user", uid) };
}

/**
 * When credentials were last written there: a logout leaves a file without any. 0 where there is none of this user's:
 * others may have made such a directory in /tmp.
 */
function timeOfLogin(directory: string): number {
  try {
    const { mtimeMs, uid } = statSync(join(directory, "containers", "auth.json"));
    return uid === process.geteuid?.() ? mtimeMs : 0;
  } catch {
    return 0;
  }
}
