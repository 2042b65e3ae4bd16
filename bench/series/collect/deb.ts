import { spawn } from "node:child_process";
import { posix } from "node:path";
import { buffer, text } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { createGzip, gunzipSync } from "node:zlib";
import { extract, pack, type Header, type Pack } from "tar-stream";
import { joinChangelogs, parseChangelog, type Entry } from "./changelog.ts";

/** Of an entry of a tar. */
export type EntryHeader = Partial<Header> & Pick<Header, "name">;

/** What is in a file of a package. */
export interface Contents {
  /** Bytes of its files and of what the database has of it alone, and of the gzip of level 6 of both as a layer. */
  readonly size: number;
  readonly packed: number;
  /** The package whose documentation this one's is a link to. */
  readonly link?: string;
  /** Its changelog, newest first; empty where another package of its source has it. */
  readonly entries: readonly Entry[];
}

/** Reads the file of a package; `name` is the package's. */
export async function readPackage(file: string, name: string): Promise<Contents> {
  const layer = startLayer();
  const notes = new Map<string, Buffer>();
  const paths: string[] = [];
  let link: string | undefined;
  await eachEntry(["--fsys-tarfile", file], async (header, body) => {
    const path = posix.normalize(header.name).replace(/\/$/, "");
    paths.push(path);
    if (path === `usr/share/doc/${name}` && header.type === "symlink") link = header.linkname ?? "";
    if (isChangelog(path, name)) notes.set(posix.basename(path), body);
    await layer.add({ ...header, name: path }, body);
  });
  await eachEntry(["--ctrl-tarfile", file], async (header, body) => {
    const part = posix.basename(header.name);
    // The package's paragraph is in the file that all share.
    if (header.type !== "file" || part === "control") return;
    await layer.add({ ...header, name: `var/lib/dpkg/info/${name}.${part}` }, body);
  });
  const list = Buffer.from(paths.map((path) => `/${path}\n`).join(""));
  await layer.add({ name: `var/lib/dpkg/info/${name}.list`, size: list.length }, list);
  const sizes = await layer.end();
  return {
    ...sizes,
    ...(link !== undefined && { link: posix.basename(link) }),
    entries: join(notes),
  };
}

function isChangelog(path: string, name: string): boolean {
  const directory = `usr/share/doc/${name}/`;
  return (
    path.startsWith(directory) &&
    /^changelog(\.Debian(\.\w+)?)?\.gz$/.test(path.slice(directory.length))
  );
}

/** A native package has `changelog.gz`; of others that is upstream's, in a form of its own. */
function join(notes: ReadonlyMap<string, Buffer>): readonly Entry[] {
  const read = (name: string | undefined): readonly Entry[] => {
    const bytes = notes.get(name ?? "");
    return bytes === undefined ? [] : parseChangelog(gunzipSync(bytes).toString());
  };
  const rebuilds = [...notes.keys()].find(
    (name) => /^changelog\.Debian\.\w+\.gz$/.test(name) && name !== "changelog.Debian.gz",
  );
  const own = read("changelog.Debian.gz");
  return joinChangelogs(read(rebuilds), own.length > 0 ? own : read("changelog.gz"));
}

/** A layer whose bytes are counted, and go nowhere. */
export function startLayer(): {
  readonly add: (header: EntryHeader, body: Buffer) => Promise<void>;
  readonly end: () => Promise<{ size: number; packed: number }>;
} {
  const tar = pack();
  const sizes = { size: 0, packed: 0 };
  const done = pipeline(tar, createGzip({ level: 6 }), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) sizes.packed += chunk.length;
  });
  return {
    add: async (header, body) => {
      sizes.size += body.length;
      await addEntry(tar, header, body);
    },
    end: async () => {
      tar.finalize();
      await done;
      return sizes;
    },
  };
}

function addEntry(tar: Pack, header: EntryHeader, body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const taken = (error?: Error | null): void => (error ? reject(error) : resolve());
    if (header.type === undefined || header.type === "file") tar.entry(header, body, taken);
    else tar.entry(header, taken);
  });
}

/** Reads a tar that dpkg-deb writes. */
async function eachEntry(
  args: readonly string[],
  use: (header: EntryHeader, body: Buffer) => Promise<void>,
): Promise<void> {
  const child = spawn("dpkg-deb", args, { stdio: ["ignore", "pipe", "pipe"] });
  const closed = new Promise<number | null>((resolve) => child.on("close", resolve));
  const message = text(child.stderr);
  await readTar(child.stdout, use);
  if ((await closed) !== 0) throw new Error(`dpkg-deb ${args.join(" ")}: ${await message}`);
}

/** Reads a tar; each file is given as a whole. */
export async function readTar(
  stream: NodeJS.ReadableStream,
  use: (header: EntryHeader, body: Buffer) => Promise<void>,
): Promise<void> {
  const reader = extract();
  stream.on("error", (error) => reader.destroy(error));
  stream.pipe(reader);
  for await (const entry of reader) {
    await use(entry.header, await buffer(entry));
  }
}
