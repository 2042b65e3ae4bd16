import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Environment } from "../registry/registry.ts";

/**
 * The environment for programs that look for credentials. Without a login session there is no
 * XDG_RUNTIME_DIR; the engines then have a directory of their own making, where their `login` writes, and
 * skopeo, which in their user namespace takes itself for root, would look in root's. The candidates are those
 * of containers/storage (`pkg/homedir`).
 */
export function withRuntimeDirectory(env: Environment): Environment {
  const uid = env["_CONTAINERS_ROOTLESS_UID"] || String(process.getuid?.() ?? 0);
  if (env["XDG_RUNTIME_DIR"] || uid === "0") return env;
  const temporary = [env["TMPDIR"], "/var/tmp", "/tmp"].filter((one) => one !== undefined);
  const candidates = [
    join("/run/user", uid),
    ...temporary.flatMap((one) => {
      const own = join(one, `containers-user-${uid}`);
      return [join(own, "containers"), own];
    }),
  ];
  const withCredentials = candidates.find((one) =>
    existsSync(join(one, "containers", "auth.json")),
  );
  return { ...env, XDG_RUNTIME_DIR: withCredentials ?? join("/run/user", uid) };
}
