import { join } from "node:path";
import { isLocalName, type Descriptor } from "../../oci/oci.ts";
import {
  isCopyCurrent,
  isCopyWhole,
  nameOfEntry,
  readIndex,
  writeIndex,
} from "../layout/index-file.ts";
import type { Store } from "../layout/paths.ts";
import type { Lock } from "../../system/lock.ts";
import type { Examination } from "./examination.ts";
import type { StoreFinding } from "./findings.ts";
import { listEntries, type NamedEntry } from "./usage.ts";
import { relativeBlob } from "./verify-blobs.ts";

/** The index and its copy against their checksums. */
export async function examineIndex({
  store,
  repair,
}: Examination): Promise<readonly StoreFinding[]> {
  const { condition } = await readIndex(store);
  const changed = [
    ...(condition === "whole" ? [] : ["index.json"]),
    ...((await isCopyWhole(store)) ? [] : [join("refs", "index.json")]),
  ];
  const outcome = repair === undefined ? "left" : "repaired";
  const message = "something other than xbuild changed it";
  return changed.map((path) => ({ code: "index-changed", message, path, names: [], outcome }));
}

/** Names whose manifest or config is not there (any more). */
export function examineEntries(
  entries: readonly NamedEntry[],
  { repair }: Examination,
): readonly StoreFinding[] {
  return entries.filter(isBroken).map(({ name, entry }) => ({
    code: "image-missing",
    message: `a manifest or config of ${name ?? entry.digest} cannot be read: build it again`,
    path: relativeBlob(entry.digest),
    names: name === undefined ? [] : [name],
    outcome: repair === undefined ? "left" : "removed",
  }));
}

function isBroken({ images }: NamedEntry): boolean {
  return images.length === 0 || images.includes(undefined);
}

/**
 * Writes an index without the entries that lead nowhere any more. @returns what was found and those findings that come
 * of it. Needs the store's lock.
 */
export async function repairIndex(
  store: Store,
  found: readonly StoreFinding[],
  lock: Lock,
): Promise<readonly StoreFinding[]> {
  const { manifests } = await readIndex(store);
  const readable = await keepReadable(store, manifests);
  const lost = listLost(readable, found);
  const kept = readable.filter((entry) => !lost.includes(entry));
  const isSame = kept.length === manifests.length && (await isCopyCurrent(store));
  if (!isSame || found.some(({ code }) => code === "index-changed")) {
    await writeIndex(store, kept, lock);
  }
  return [...found, ...lost.map(describeLost)];
}

async function keepReadable(
  store: Store,
  manifests: readonly Descriptor[],
): Promise<readonly Descriptor[]> {
  const broken = (await listEntries(store)).filter(isBroken);
  const names = new Set(broken.map(({ name, entry }) => name ?? entry.digest));
  return manifests.filter((entry) => !names.has(nameOfEntry(entry) ?? entry.digest));
}

/**
 * Entries with a layer that is nowhere any more. As long as such a name stood, a build would go on keeping
 * that layer; the next build makes the image anew instead.
 */
function listLost(
  entries: readonly Descriptor[],
  findings: readonly StoreFinding[],
): readonly Descriptor[] {
  const removed = findings.filter(({ outcome }) => outcome === "removed");
  const names = new Set(removed.flatMap((finding) => finding.names));
  const untrue = new Set(
    removed.flatMap((finding) => (finding.code === "layer-diff-id" ? finding.names : [])),
  );
  return entries.filter((entry) => {
    const name = nameOfEntry(entry);
    if (name === undefined) return false;
    // What is in a registry can have its layers there.
    return untrue.has(name) || (names.has(name) && isLocalName(name));
  });
}

function describeLost(entry: Descriptor): StoreFinding {
  const name = nameOfEntry(entry) ?? entry.digest;
  return {
    code: "image-missing",
    message: `${name} cannot be restored: build it again`,
    path: relativeBlob(entry.digest),
    names: [name],
    outcome: "removed",
  };
}
