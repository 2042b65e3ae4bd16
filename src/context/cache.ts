import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import type { HashedContent } from "./content.ts";
import type { FoundFile } from "./walk.ts";

export interface CacheUpdate {
  readonly found: readonly FoundFile[];
  readonly hashed: ReadonlyMap<string, HashedContent>;
  /** Of each found file, where it is known. */
  readonly digests: readonly (string | undefined)[];
  /** When the walk began, in milliseconds since 1970. */
  readonly startedAt: number;
}

export interface StatCache {
  /** The digest that a file had when it last looked as it does now, or undefined. */
  readonly find: (file: FoundFile) => string | undefined;
  /** Remembers what can be believed the next time; a cache that cannot be written is none. */
  readonly save: (update: CacheUpdate) => void;
}

const version = "xbuild-context-3";
/**
 * A file that changed this shortly before it was read may change again and look the same, for a clock
 * has steps: 2 seconds are the longest of any file system in use.
 */
const clockStep = 2000;

/** The cache in a file, or one that knows nothing. A damaged file counts as an empty one. */
export function openCache(path: string | undefined): StatCache {
  if (path === undefined) return { find: () => undefined, save: () => {} };
  const fields = readCache(path);
  const find = createFinder(fields);
  return {
    find: (file) => {
      const at = find(file.path);
      return at !== undefined && fields[at + 1] === file.signature ? fields[at + 2] : undefined;
    },
    save: (update) => {
      if (isChanged(update, fields)) writeCache(path, listTrusted(update));
    },
  };
}

/**
 * Where the fields of a path begin. They are asked for in the order in which they were written, so the
 * next ones are mostly the right ones; a map is made when they are not for the first time.
 */
function createFinder(fields: readonly string[]): (path: string) => number | undefined {
  let next = 0;
  let places: Map<string | undefined, number> | undefined;
  return (path) => {
    const place = fields[next] === path ? next : (places ??= mapPlaces(fields)).get(path);
    if (place !== undefined) next = place + fieldCount;
    return place;
  };
}

function mapPlaces(fields: readonly string[]): Map<string | undefined, number> {
  const places = new Map<string | undefined, number>();
  for (let at = 0; at < fields.length; at += fieldCount) places.set(fields[at], at);
  return places;
}

/** Path, signature and digest of each file, one behind the other. */
const fieldCount = 3;

function readCache(path: string): readonly string[] {
  try {
    const bytes = readFileSync(path);
    const end = bytes.indexOf("\n");
    const body = bytes.subarray(end + 1);
    if (bytes.toString("latin1", 0, end) !== describeBody(body)) return [];
    return JSON.parse(body.toString("utf8"));
  } catch {
    // There is none yet, or it cannot be read: then everything is hashed.
    return [];
  }
}

/** Nothing to write where nothing was read and nothing went away. */
function isChanged({ hashed, digests }: CacheUpdate, fields: readonly string[]): boolean {
  const known = digests.filter((digest) => digest !== undefined).length;
  return hashed.size > 0 || known * fieldCount !== fields.length;
}

function listTrusted({ found, hashed, digests, startedAt }: CacheUpdate): readonly string[] {
  return found.flatMap((file, at) => {
    const digest = digests[at];
    const isSettled = file.changedAt < startedAt - clockStep;
    const isStable = hashed.get(file.path)?.stable !== false;
    return digest !== undefined && isSettled && isStable ? [file.path, file.signature, digest] : [];
  });
}

function writeCache(path: string, fields: readonly string[]): void {
  const body = Buffer.from(JSON.stringify(fields));
  const temporary = `${path}.${randomUUID()}`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    const bytes = Buffer.concat([Buffer.from(`${describeBody(body)}\n`), body]);
    writeFileSync(temporary, bytes, { flag: "wx", mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    rmSync(temporary, { force: true });
  }
}

function describeBody(body: Uint8Array): string {
  return `${version} ${createHash("sha256").update(body).digest("hex")}`;
}
