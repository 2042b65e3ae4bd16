import { join } from "node:path";
import type { Environment } from "./access.ts";
import { homeDirectory, listNames, readText } from "./files.ts";

/**
 * The files of the configuration, those that count more later, in the order of
 * containers-registries.conf.d(5); any may be missing. The user's file keeps /etc's drop-ins out, one that
 * $CONTAINERS_REGISTRIES_CONF names does not (containers/image, `newConfigWrapperWithHomeDir`).
 */
export async function listRegistriesFiles(
  env: Environment,
  root: string,
): Promise<readonly string[]> {
  const user = join(homeDirectory(env), ".config/containers");
  const system = join(root, "etc/containers");
  const chosen = env["CONTAINERS_REGISTRIES_CONF"] || env["REGISTRIES_CONFIG_PATH"];
  const userFile = join(user, "registries.conf");
  if (!chosen && (await readText(userFile)) !== undefined) {
    return [userFile, ...(await listDropIns(user))];
  }
  const main = chosen || join(system, "registries.conf");
  return [main, ...(await listDropIns(system)), ...(await listDropIns(user))];
}

async function listDropIns(directory: string): Promise<readonly string[]> {
  const dropIns = join(directory, "registries.conf.d");
  const names = (await listNames(dropIns)) ?? [];
  return names.filter((name) => name.endsWith(".conf")).map((name) => join(dropIns, name));
}

/** What users have chosen when they were asked for a short name's registry ("Short-Name Aliasing: Modes"). */
export function recordedAliasesPath(env: Environment, root: string): string {
  const cache =
    process.getuid?.() === 0
      ? join(root, "var/cache")
      : env["XDG_CACHE_HOME"] || join(homeDirectory(env), ".cache");
  return join(cache, "containers/short-name-aliases.conf");
}
