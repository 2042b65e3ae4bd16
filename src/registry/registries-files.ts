import { join } from "node:path";
import type { Environment } from "./access.ts";
import { exists, homeDirectory, listNames } from "./files.ts";

/** The files of the configuration; where there is none, it says nothing. */
export interface RegistriesFiles {
  readonly main: string;
  /** Whether skopeo refuses to go without the main file: the user has named it. */
  readonly isRequired: boolean;
  /** Those that count more later. */
  readonly dropIns: readonly string[];
}

/**
 * Which files there are, in the order of containers-registries.conf.d(5). The user's file keeps /etc's drop-ins out,
 * one that a variable names does not (containers/image, `newConfigWrapperWithHomeDir`).
 */
export async function listRegistriesFiles(
  env: Environment,
  root: string,
): Promise<RegistriesFiles> {
  const user = join(homeDirectory(env), ".config/containers");
  const system = join(root, "etc/containers");
  const chosen = findRegistriesConf(env);
  const userFile = join(user, "registries.conf");
  if (chosen === undefined && (await exists(userFile))) {
    return { main: userFile, isRequired: false, dropIns: await listDropIns(user) };
  }
  const main = chosen ?? join(system, "registries.conf");
  const dropIns = [...(await listDropIns(system)), ...(await listDropIns(user))];
  return { main, isRequired: chosen !== undefined, dropIns };
}

/** The file that stands in the place of all others: as buildah and podman read these variables. */
export function findRegistriesConf(env: Environment): string | undefined {
  return env["CONTAINERS_REGISTRIES_CONF"] || env["REGISTRIES_CONFIG_PATH"] || undefined;
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
