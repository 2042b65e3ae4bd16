import { createReadStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { readTar, startLayer } from "./deb.ts";
import { runProgram } from "./run.ts";

/** Bytes of files, and of the gzip of their layer. */
export interface Sizes {
  readonly size: number;
  readonly packed: number;
}

/** What a system has besides its packages' own files. */
export interface System {
  /** The database of all packages, and the alternatives. */
  readonly database: Sizes;
  /** What Python compiled of packages' files. */
  readonly cache: Sizes;
  /** The packages whose files these are. */
  readonly compiled: readonly string[];
  readonly other: Sizes;
}

/** Makes a system of these packages, and sorts its paths as `layer split` does. */
export async function measureSystem(
  codename: string,
  packages: readonly string[],
  sources: readonly string[],
): Promise<System> {
  const directory = await mkdtemp(join(tmpdir(), "xbuild-series-"));
  try {
    const file = join(directory, "root.tar");
    const include = `--include=${packages.join(",")}`;
    const options = ["--quiet", "--variant=minbase", include];
    await runProgram(["mmdebstrap", ...options, codename, file, ...sources]);
    return await measureRest(file, await listOwners(file));
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

const lists = "/var/lib/dpkg/info/";

/** By path, the package that lists it. */
async function listOwners(file: string): Promise<ReadonlyMap<string, string>> {
  const owners = new Map<string, string>();
  await readTar(createReadStream(file), async ({ name }, body) => {
    const path = posix.resolve("/", name);
    if (!path.startsWith(lists)) return;
    const owner = /^(.*?)(?::\w+)?\.[^.]+$/.exec(path.slice(lists.length))?.[1];
    if (owner === undefined) return;
    owners.set(path, owner);
    if (!path.endsWith(".list")) return;
    for (const one of body.toString().trimEnd().split("\n")) owners.set(followLinks(one), owner);
  });
  return owners;
}

async function measureRest(file: string, owners: ReadonlyMap<string, string>): Promise<System> {
  const layers = { database: startLayer(), cache: startLayer(), other: startLayer() };
  const compiled = new Set<string>();
  await readTar(createReadStream(file), async (header, body) => {
    const path = posix.resolve("/", header.name);
    if (owners.has(path) || /^\/(proc|sys|dev)\//.test(path)) return;
    const place = placeOf(path);
    if (place === "cache") compiled.add(owners.get(sourceOf(path)) ?? "");
    await layers[place].add({ ...header, name: path.slice(1) }, body);
  });
  return {
    database: await layers.database.end(),
    cache: await layers.cache.end(),
    compiled: [...compiled].filter((name) => name !== "").toSorted(),
    other: await layers.other.end(),
  };
}

function placeOf(path: string): "database" | "cache" | "other" {
  if (/\/__pycache__(\/|$)/.test(path)) return "cache";
  return /^\/(var\/lib\/dpkg|etc\/alternatives)(\/|$)/.test(path) ? "database" : "other";
}

/** `/a/b.py` of `/a/__pycache__/b.cpython-311.pyc`. */
function sourceOf(path: string): string {
  return path.replace(/__pycache__\/([^/.]+)\.[^/]*$/, "$1.py");
}

/** Where a listed path is on a merged /usr. */
function followLinks(path: string): string {
  return path.replace(/^\/(bin|sbin|lib|lib64|lib32|libx32)\//, "/usr/$1/");
}
