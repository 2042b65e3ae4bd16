import { existsSync } from "node:fs";
import { lstat, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  type Digest,
  digestBytes,
  digestHex,
  isDigest,
  isJsonObject,
  type Json,
  tryParseJson,
} from "../../oci/oci.ts";
import type { ListEntry } from "../model.ts";
import { queryProgram, tryQuery } from "../programs/run.ts";
import { nameConfig, nameImages, type StoragePlace } from "./storage-files.ts";

interface Storage {
  /** Those of the program that say which storage it has. */
  readonly options: readonly string[];
  /** undefined where it is not known without asking. */
  readonly place: StoragePlace | undefined;
}

/**
 * The config of an image as it is stored: an image's ID is its digest, so that a file that has it is the right one
 * wherever it lies; else skopeo is asked (`podman image inspect` leaves out SHELL and HEALTHCHECK).
 * Errors: `engine-failed`.
 */
export async function readImageConfig(
  id: Digest,
  { options, place }: Storage,
): Promise<Uint8Array> {
  if (place !== undefined) {
    const directory = join(nameImages(place), digestHex(id));
    const bytes = await readPlain(nameConfig({ directory, id }));
    if (bytes !== undefined && digestBytes(bytes) === id) return bytes;
  }
  const image = `containers-storage:${renderStorage(options)}@${digestHex(id)}`;
  return Buffer.from(await queryProgram(["skopeo", "inspect", "--config", "--raw", image]));
}

/** undefined of what is no plain file, or cannot be read. */
async function readPlain(path: string): Promise<Uint8Array | undefined> {
  try {
    return (await lstat(path)).isFile() ? await readFile(path) : undefined;
  } catch {
    return undefined;
  }
}

/** skopeo gives the document as it is stored; the engines' own commands ask a registry for a name that is no list's. */
export async function readStoredList(
  options: readonly string[],
  name: string,
): Promise<readonly ListEntry[] | undefined> {
  const image = `containers-storage:${renderStorage(options)}${name}`;
  const text = await tryQuery(["skopeo", "inspect", "--raw", image]);
  const document = text === undefined ? undefined : tryParseJson(text);
  const entries = isJsonObject(document) ? document["manifests"] : undefined;
  return Array.isArray(entries) ? entries.flatMap(parseListEntry) : undefined;
}

/** A glance at what an engine wrote: the schemas of documents take long to load. */
function parseListEntry(entry: Json): readonly ListEntry[] {
  if (!isJsonObject(entry) || !isDigest(entry["digest"])) return [];
  const { digest, platform } = entry;
  if (!isJsonObject(platform)) return [{ digest }];
  const { os, architecture, variant } = platform;
  if (typeof os !== "string" || typeof architecture !== "string") return [{ digest }];
  const given = typeof variant === "string" ? { variant } : {};
  return [{ digest, platform: { os, architecture, ...given } }];
}

/** `--root`, `--runroot`, `--storage-driver` of the program as skopeo's transport writes them. */
export function renderStorage(options: readonly string[]): string {
  // `--root=DIR`, or `--root` and `DIR` as two options.
  const words = options.flatMap((one, index) =>
    /^--[a-z-]+$/.test(one) ? [`${one}=${options[index + 1] ?? ""}`] : [one],
  );
  const valueOf = (name: string): string | undefined =>
    words.findLast((one) => one.startsWith(`--${name}=`))?.slice(name.length + 3);
  const root = valueOf("root");
  const runRoot = valueOf("runroot");
  const driver = valueOf("storage-driver") ?? findDriver(root);
  if (root === undefined && driver === "") return "";
  return `[${driver}@${root ?? ""}${runRoot === undefined ? "" : `+${runRoot}`}]`;
}

/** skopeo takes no storage whose driver neither it nor storage.conf(5) names: where images are, one can tell. */
function findDriver(root: string | undefined): string {
  const known = ["overlay", "vfs", "btrfs", "zfs"];
  const isThere = (driver: string): boolean => existsSync(join(root ?? "", `${driver}-images`));
  return root === undefined ? "" : (known.find(isThere) ?? "");
}
