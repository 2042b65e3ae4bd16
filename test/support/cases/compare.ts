import { createReadStream } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { text } from "node:stream/consumers";
import { createGunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";
import type { ImageConfig, Manifest } from "../../../src/oci/model.ts";
import type { Metadata } from "../project.ts";

/** All that an image says but for what it was made of, a line a fact; with an epoch to the last bit. */
export async function describeImage(
  store: string,
  metadata: Metadata,
  isExact: boolean,
): Promise<readonly string[]> {
  const config = await readDocument<ImageConfig>(store, metadata.configDigest);
  const { annotations = {} } = await readDocument<Manifest>(store, metadata.digest);
  const { created, history = [], rootfs, ...others } = config;
  const lines = [
    ...flatten("config", others),
    ...flatten("annotations", withoutKey(annotations)),
    ...history.map((one, at) => `history ${at}: ${one.created_by}`),
    ...(isExact ? [`created ${created}`, ...flatten("rootfs", rootfs)] : []),
  ];
  for (const [at, layer] of metadata.layers.entries()) {
    const entries = await listEntries(store, layer.digest, isExact);
    lines.push(...entries.map((entry) => `layer ${at} ${layer.name}: ${entry}`));
  }
  return lines;
}

/** What the one has and the other has not. */
export function listDifferences(
  cached: readonly string[],
  fresh: readonly string[],
): readonly string[] {
  const [known, right] = [new Set(cached), new Set(fresh)];
  return [
    ...cached.filter((line) => !right.has(line)).map((line) => `with the cache: ${line}`),
    ...fresh.filter((line) => !known.has(line)).map((line) => `--no-cache:     ${line}`),
  ];
}

async function readDocument<T>(store: string, digest: string): Promise<T> {
  return JSON.parse(await readFile(join(store, "blobs", digest.replace(":", "/")), "utf8"));
}

/** Our own annotations: the key is another one where a build kept the image of the build before. */
function withoutKey(annotations: Readonly<Record<string, string>>): object {
  return Object.fromEntries(
    Object.entries(annotations).filter(([name]) => !name.startsWith("io.xbuild.")),
  );
}

function flatten(name: string, value: unknown): readonly string[] {
  if (typeof value !== "object" || value === null) return [`${name} ${JSON.stringify(value)}`];
  return Object.entries(value).flatMap(([key, one]) => flatten(`${name}.${key}`, one));
}

async function listEntries(
  store: string,
  digest: string,
  isExact: boolean,
): Promise<readonly string[]> {
  const entries: string[] = [];
  const tar = extract();
  const blob = createReadStream(join(store, "blobs", digest.replace(":", "/")));
  const done = pipeline(blob, createGunzip(), tar);
  for await (const entry of tar) {
    entries.push(describeEntry(entry.header, await text(entry), isExact));
  }
  await done;
  return entries;
}

function describeEntry(header: Header, content: string, isExact: boolean): string {
  const { name, type, mode, uid, gid, linkname, mtime, pax } = header;
  const words = [name, type, mode.toString(8), `${uid}:${gid}`];
  if (linkname) words.push(`-> ${linkname}`);
  if (isExact) words.push(String(mtime?.getTime()));
  const attributes = Object.entries(pax ?? {}).filter(([key]) => key.startsWith("SCHILY."));
  words.push(...attributes.map(([key, value]) => `${key}=${JSON.stringify(value)}`));
  if (type === "file") words.push(JSON.stringify(content));
  return words.join(" ");
}
