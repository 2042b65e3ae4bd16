import { randomUUID } from "node:crypto";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { hashText, isJsonObject, tryParseJson } from "../../oci/oci.ts";
import { findInstalled } from "../../system/is-installed.ts";
import { findUserDirectory } from "../../system/user-directory.ts";
import type { StoragePlace } from "./storage-files.ts";
import { listRoots, listWays } from "./storage-roots.ts";

/** Changes whenever what is written down means something else. */
const version = 2;

/** Variables that say which storage an engine has (containers-storage.conf(5), containers.conf(5), podman(1)). */
const variables = [
  "CONTAINERS_STORAGE_CONF",
  "STORAGE_DRIVER",
  "STORAGE_OPTS",
  "CONTAINERS_CONF",
  "CONTAINERS_CONF_OVERRIDE",
  "CONTAINER_HOST",
  "CONTAINER_CONNECTION",
  "XDG_CONFIG_HOME",
  "XDG_DATA_HOME",
  "XDG_RUNTIME_DIR",
  "HOME",
];

/**
 * Where the storage of a program with these options is, as it said itself when its settings were what they are now;
 * undefined where nobody has asked it since.
 * @param command the program, and its options before the command
 */
export function recallStorage(command: readonly string[]): StoragePlace | undefined {
  try {
    const path = nameRecord(command);
    if (!statSync(path).isFile()) return undefined;
    const record = tryParseJson(readFileSync(path, "utf8"));
    if (!isJsonObject(record) || record["settings"] !== describeSettings(command)) return undefined;
    const { root, driver, ways } = record;
    if (typeof root !== "string" || typeof driver !== "string" || !Array.isArray(ways))
      return undefined;
    const paths = ways.filter((one) => typeof one === "string");
    return listWays(paths, root).length === ways.length ? { root, driver } : undefined;
  } catch {
    // Nothing is known, then.
    return undefined;
  }
}

/** Asks where it is, and writes it down for the next time; what cannot be told or written is asked again. */
export async function rememberStorage(
  command: readonly string[],
  locate: () => Promise<StoragePlace>,
): Promise<void> {
  if (recallStorage(command) !== undefined) return;
  try {
    const settings = describeSettings(command);
    const roots = listRoots(command.slice(1), listFiles(process.env), process.env);
    if (settings === undefined || roots === undefined) return;
    const { root, driver, isRemote = false } = await locate();
    const ways = listWays(roots, root);
    if (isRemote || ways.length === 0) return;
    const path = nameRecord(command);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const unfinished = `${path}.${randomUUID()}`;
    writeFileSync(unfinished, JSON.stringify({ settings, root, driver, ways }), { mode: 0o600 });
    renameSync(unfinished, path);
    dropOld(dirname(path));
  } catch {
    // It is only sooner known.
  }
}

function nameRecord(command: readonly string[]): string {
  const values = variables.map((name) => process.env[name] ?? null);
  // In the engine's user namespace, where everybody is 0, a user's storage is where it is outside.
  const user = process.env["_CONTAINERS_ROOTLESS_UID"] ?? String(process.geteuid?.());
  const key = JSON.stringify([version, command, values, user]);
  return join(findUserDirectory(process.env), "storages", `${hashText(key)}.json`);
}

/** More would be of settings that nobody has any more. */
const most = 64;

function dropOld(directory: string): void {
  const files = readdirSync(directory).map((name) => join(directory, name));
  if (files.length <= most) return;
  const aged = files.map((path) => ({ path, at: statSync(path).mtimeMs }));
  aged.sort((one, other) => other.at - one.at);
  for (const { path } of aged.slice(most / 2)) rmSync(path, { force: true });
}

/**
 * What stat(2) says of the program and of each file that may set where its storage is: another one there is another
 * text. undefined where the program is not there.
 */
function describeSettings([program = ""]: readonly string[]): string | undefined {
  const binary = findInstalled(program, process.env["PATH"] ?? "");
  // Without HOME an engine looks for its user's directory in ways of its own.
  if (binary === undefined || !process.env["HOME"]) return undefined;
  return [binary, ...listFiles(process.env)]
    .map((path) => `${path} ${describeFile(path)}`)
    .join("\n");
}

function describeFile(path: string): string {
  const status = statSync(path, { throwIfNoEntry: false, bigint: true });
  if (status === undefined) return "-";
  const { dev, ino, size, mtimeNs, ctimeNs } = status;
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}

/** Files and directories of settings, whether they are there or not, and what is in the directories. */
function listFiles(env: NodeJS.ProcessEnv): readonly string[] {
  const { HOME: home, XDG_CONFIG_HOME: config } = env;
  const parents = [
    "/usr/share/containers",
    "/usr/local/share/containers",
    "/etc/containers",
    ...(config ? [join(config, "containers")] : []),
    ...(home ? [join(home, ".config", "containers")] : []),
  ];
  const named = ["CONTAINERS_STORAGE_CONF", "CONTAINERS_CONF", "CONTAINERS_CONF_OVERRIDE"];
  const files = parents
    .flatMap((parent) => [join(parent, "storage.conf"), join(parent, "containers.conf")])
    .flatMap((path) => [path, `${path}.d`].concat(listBelow(`${path}.d`)));
  return [...files, ...named.flatMap((name) => (env[name] ? [env[name]] : []))];
}

function listBelow(directory: string): readonly string[] {
  if (statSync(directory, { throwIfNoEntry: false })?.isDirectory() !== true) return [];
  return readdirSync(directory)
    .sort()
    .map((name) => join(directory, name));
}
