import { createHash } from "node:crypto";
import type { Digest } from "../oci/oci.ts";
import type { Step } from "../reporter.ts";
import { takeTurn } from "../system/turns.ts";
import { sumSizes } from "../units.ts";
import { openCache } from "./cache.ts";
import { hashFiles, type HashedContent } from "./content.ts";
import { walkTree, type FoundFile, type WalkOptions } from "./walk.ts";

export interface HashOptions extends WalkOptions {
  /**
   * A file that remembers digests from one time to the next; it is made where it is not there. Without
   * one, everything is read.
   */
  readonly cache?: string;
  /** Whether owners count: steps see them, and some copies keep them. */
  readonly withOwners?: boolean | undefined;
  /** What it was a moment ago: what has the same stat as then is not read again. */
  readonly before?: ContextHash | undefined;
  /** Told how many bytes have been read, of how many. */
  readonly onProgress?: Step["progress"] | undefined;
}

export interface ContextHash {
  /** Of all that `files` says. */
  readonly digest: Digest;
  /**
   * What each path is, by its path relative to the directory: kind, mode, the content's digest or the link's target,
   * and a digest of the extended attributes that a copy carries along, where there are some. Bytes of a name that are no UTF-8 are lone surrogates, U+DC80 to U+DCFF.
   */
  readonly files: ReadonlyMap<string, string>;
  /** Files whose content was read, because the cache did not know them as they are. */
  readonly read: number;
  /** Files that had changed too shortly before for the cache, by their paths: good for `before`. */
  readonly recent: ReadonlyMap<string, RecentFile>;
  /**
   * A digest of what stat(2) said of all of it: what says the same has not changed. Undefined where a file changed so
   * shortly before that another change could say the same.
   */
  readonly stamp: string | undefined;
}

interface RecentFile {
  readonly signature: string;
  readonly digest: string;
}

/**
 * The digest of a directory's content, modes, links, capabilities and `user.` attributes (of a single file, where it
 * is one): equal on every machine for equal trees. Owners and times are not in it. With a cache only those files are
 * read whose size, mtime, ctime, inode or mode is not what it was, or that changed so shortly before the
 * last time that another change could have left all of these as they were. A file that cannot be read
 * counts with what its inode says. Errors: those of the system, where the directory itself cannot be read.
 */
export async function hashContext(directory: string, options: HashOptions): Promise<ContextHash> {
  // With a million files each of these takes a second.
  const { signal } = options;
  const startedAt = Date.now();
  const cache = openCache(options.cache);
  const found = await walkTree(directory, options);
  const stamp = stampFiles(found);
  if (options.before?.stamp === stamp) return options.before;
  const known = found.map((file) =>
    hasContent(file) ? (cache.find(file) ?? findRecent(options.before, file)) : undefined,
  );
  await takeTurn(signal);
  const unknown = found.filter((file, at) => hasContent(file) && known[at] === undefined);
  const hashed = await hashFiles(directory, unknown, {
    signal,
    onBytes: sumBytes(unknown, options),
  });
  const digests = found.map((file, at) => known[at] ?? hashed.get(file.path)?.digest);
  await takeTurn(signal);
  cache.save({ found, hashed, digests, startedAt });
  await takeTurn(signal);
  const parts = describeFiles(found, digests, options);
  const recent = listRecent(unknown, hashed, startedAt);
  let files: ReadonlyMap<string, string> | undefined;
  return {
    digest: hashParts(parts),
    read: unknown.filter(({ kind }) => kind === "file").length,
    recent,
    stamp: unknown.every(({ path }) => recent.has(path)) ? stamp : undefined,
    // Few who ask for the digest want to see them.
    get files() {
      return (files ??= pairParts(parts));
    },
  };
}

/** All that says whether a path is what it was. */
function stampFiles(found: readonly FoundFile[]): string {
  const hash = createHash("sha256");
  let text = "";
  for (const { path, signature, owner, target = "" } of found) {
    text += `${path}\0${signature}\0${owner}\0${target}\0`;
    if (text.length < maxText) continue;
    hash.update(text);
    text = "";
  }
  return hash.update(text).digest("hex");
}

/** Characters that are hashed at once. */
const maxText = 64 * 1024;

/** For what tells how many bytes more were read: whoever listens is told how many of all there are by now. */
function sumBytes(
  files: readonly FoundFile[],
  { onProgress }: HashOptions,
): ((bytes: number) => void) | undefined {
  if (onProgress === undefined) return undefined;
  const total = sumSizes(files.filter(({ kind }) => kind === "file"));
  let bytes = 0;
  return (more) => onProgress({ bytes: (bytes += more), total });
}

/** What a link or a device is, its inode says. */
function hasContent({ kind }: FoundFile): boolean {
  return kind === "file" || kind === "directory";
}

function findRecent(before: ContextHash | undefined, file: FoundFile): string | undefined {
  const known = before?.recent.get(file.path);
  return known?.signature === file.signature ? known.digest : undefined;
}

/**
 * A file that changes after it was read has another ctime then, unless it had changed within the same tick of the
 * file system's clock: 10 ms are the longest in Linux, a second or two on file systems that count no parts of one.
 */
function listRecent(
  files: readonly FoundFile[],
  hashed: ReadonlyMap<string, HashedContent>,
  startedAt: number,
): ReadonlyMap<string, RecentFile> {
  const recent = new Map<string, RecentFile>();
  for (const { path, signature, changedAt } of files) {
    const content = hashed.get(path);
    const tick = changedAt % 1000 === 0 ? 2000 : 20;
    if (content?.stable !== true || changedAt >= startedAt - tick) continue;
    recent.set(path, { signature, digest: content.digest });
  }
  return recent;
}

/** Each path and what it is, one behind the other. */
function describeFiles(
  found: readonly FoundFile[],
  digests: readonly (string | undefined)[],
  { withOwners = false }: Pick<HashOptions, "withOwners">,
): readonly string[] {
  const parts: string[] = [];
  const firstNames = new Map<string, string>();
  for (const [at, { kind, path, mode, target, owner, inode }] of found.entries()) {
    const what = digests[at] ?? target ?? "";
    // It went away while we looked.
    if (kind === "file" && what === "") continue;
    const first = inode === undefined ? undefined : firstNames.get(inode);
    if (inode !== undefined && first === undefined) firstNames.set(inode, path);
    const more = [...(withOwners ? [owner] : []), ...(first === undefined ? [] : [`=${first}`])];
    const description = `${kind} ${[mode.toString(8), ...more.map(encodeURI)].join(",")}`;
    parts.push(path, what === "" ? description : `${description} ${what}`);
  }
  return parts;
}

/** JSON, because it can say every string: a NUL cannot end one early, and lone surrogates are escaped. */
function hashParts(parts: readonly string[]): Digest {
  return `sha256:${createHash("sha256").update(JSON.stringify(parts)).digest("hex")}`;
}

function pairParts(parts: readonly string[]): ReadonlyMap<string, string> {
  const files = new Map<string, string>();
  for (let at = 0; at + 1 < parts.length; at += 2) files.set(parts[at] ?? "", parts[at + 1] ?? "");
  return files;
}
