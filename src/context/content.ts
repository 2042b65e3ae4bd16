import { createHash } from "node:crypto";
import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { open } from "node:fs/promises";
import { basename, dirname } from "node:path";
import pLimit from "p-limit";
import { systemCode } from "../system/errno.ts";
import { createTurns } from "../system/turns.ts";
import { readCopiedXattrs } from "../system/xattrs.ts";
import { encodePath } from "./names.ts";
import type { FoundFile } from "./walk.ts";

export interface HashedContent {
  /**
   * Hex sha256 of a file's bytes, or what stands for it where they cannot be read; nothing for a directory. Behind it,
   * where there are extended attributes that count, a space and the same of those.
   */
  readonly digest: string;
  /** Whether the file was while it was read what it was when it was found. */
  readonly stable: boolean;
}

/** Up to here one call reads a file, and the calls that wait for nothing are the fastest. */
const smallSize = 128 * 1024;
/** Large files at once: one is hashed while the others are read. */
const atOnce = 4;

export interface ContentOptions {
  readonly signal: AbortSignal | undefined;
  /** Told of so many more bytes of files. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Files of one directory while they are hashed. */
interface Hashing extends ContentOptions {
  readonly root: string;
  readonly hashed: Map<string, HashedContent>;
}

/** Reads and hashes these files and directories, by their paths. What is no longer there is left out. */
export async function hashFiles(
  root: string,
  files: readonly FoundFile[],
  options: ContentOptions,
): Promise<ReadonlyMap<string, HashedContent>> {
  const { signal } = options;
  const hashed = new Map<string, HashedContent>();
  const plain = files.filter(({ kind }) => kind === "file");
  const small = plain.filter((file) => file.size <= smallSize);
  const large = plain.filter((file) => file.size > smallSize);
  const largeOnes = pLimit(atOnce).map(large, async (file) => {
    signal?.throwIfAborted();
    await keep(hashed, file, () => hashLarge(pathOf(root, file), file, options));
  });
  const [attributes] = await Promise.all([
    hashAttributes(root, files, signal),
    largeOnes,
    hashSmallOnes({ root, hashed, ...options }, small),
  ]);
  for (const { kind, path } of files) {
    const content = kind === "file" ? hashed.get(path) : { digest: "", stable: true };
    if (content === undefined) continue;
    const more = attributes.get(path);
    hashed.set(
      path,
      more === undefined ? content : { ...content, digest: `${content.digest} ${more}` },
    );
  }
  return hashed;
}

/** Hex sha256 of the attributes that count, of those that have some. */
async function hashAttributes(
  root: string,
  files: readonly FoundFile[],
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, string>> {
  // A root that is a file stands in no directory of ours.
  const isAlone = files.some(({ kind, path }) => kind === "file" && path === "");
  const [place, ownName] = isAlone ? [dirname(root), basename(root)] : [root, "."];
  const inBytes = files.map(({ path }) =>
    Buffer.from(encodePath(path || ownName)).toString("latin1"),
  );
  const found = await readCopiedXattrs(place, inBytes, signal);
  if (found.size === 0) return new Map();
  return new Map(
    files.flatMap(({ path }, at): readonly [string, string][] => {
      const attributes = found.get(inBytes[at] ?? "");
      if (attributes === undefined) return [];
      return [[path, createHash("sha256").update(attributes.join("\n")).digest("hex")]];
    }),
  );
}

async function hashSmallOnes(
  { root, hashed, signal, onBytes }: Hashing,
  files: readonly FoundFile[],
): Promise<void> {
  const buffer = Buffer.allocUnsafe(smallSize + 1);
  const turn = createTurns(signal);
  for (const file of files) {
    await turn();
    await keep(hashed, file, () => hashSmall(pathOf(root, file), file, buffer));
    onBytes?.(file.size);
  }
}

async function keep(
  hashed: Map<string, HashedContent>,
  file: FoundFile,
  hash: () => HashedContent | Promise<HashedContent>,
): Promise<void> {
  try {
    hashed.set(file.path, await hash());
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT") return;
    if (code !== "EACCES" && code !== "EPERM" && code !== "ELOOP") throw error;
    hashed.set(file.path, { digest: `unreadable ${file.signature}`, stable: false });
  }
}

// Between finding and opening, the file may have become a link or a FIFO.
const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;

function hashSmall(path: string | Buffer, file: FoundFile, buffer: Buffer): HashedContent {
  const descriptor = openSync(path, flags);
  try {
    const length = readSync(descriptor, buffer, 0, buffer.length, 0);
    const digest = createHash("sha256").update(buffer.subarray(0, length)).digest("hex");
    const { size, ctimeMs } = fstatSync(descriptor);
    return { digest, stable: isSame(file, size, ctimeMs) && length === file.size };
  } finally {
    closeSync(descriptor);
  }
}

async function hashLarge(
  path: string | Buffer,
  file: FoundFile,
  { signal, onBytes }: ContentOptions,
): Promise<HashedContent> {
  const handle = await open(path, flags);
  try {
    const hash = createHash("sha256");
    const stream: AsyncIterable<Buffer> = handle.createReadStream({
      autoClose: false,
      highWaterMark: 1024 * 1024,
    });
    for await (const chunk of stream) {
      signal?.throwIfAborted();
      hash.update(chunk);
      onBytes?.(chunk.length);
    }
    const { size, ctimeMs } = await handle.stat();
    return { digest: hash.digest("hex"), stable: isSame(file, size, ctimeMs) };
  } finally {
    await handle.close();
  }
}

function isSame(file: FoundFile, size: number, ctimeMs: number): boolean {
  return size === file.size && ctimeMs === file.changedAt;
}

function pathOf(root: string, file: FoundFile): string | Buffer {
  return encodePath(file.path === "" ? root : `${root}/${file.path}`);
}
