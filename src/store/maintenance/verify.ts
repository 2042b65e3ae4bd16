import { join } from "node:path";
import { XbuildError } from "../../errors.ts";
import type { Descriptor } from "../../oci/oci.ts";
import { explainFailures } from "../layout/failures.ts";
import { syncDirectory } from "../../system/durable.ts";
import type { StoreFinding, VerifyOptions } from "./findings.ts";
import { isLocalName } from "../../oci/oci.ts";
import {
  isCopyCurrent,
  isCopyWhole,
  nameOfEntry,
  readIndex,
  writeIndex,
} from "../layout/index-file.ts";
import { ensureLayout } from "../layout/layout.ts";
import { lockStore } from "../layout/access.ts";
import { blobsDirectory, type Store } from "../layout/paths.ts";
import { listEntries, type NamedEntry } from "./usage.ts";
import {
  examineBlob,
  examineNames,
  hashBlobs,
  relativeBlob,
  type HashedBlobs,
} from "./verify-blobs.ts";
import { examineDocuments } from "./verify-documents.ts";
import { examineLayers } from "./verify-layers.ts";

/**
 * Checks every byte of the store: blobs against their digests, the index and xbuild's own documents
 * against their checksums, layers against the diff IDs that images say they have, and that every name has its
 * manifest and config. Layers that are not here at all are no finding: an image may keep layers that only a registry has. Others may build meanwhile.
 */
export async function verifyStore(
  store: Store,
  options: VerifyOptions,
): Promise<readonly StoreFinding[]> {
  return explainFailures(store.directory, async () => {
    if ((await readIndex(store)).condition === "missing") return [];
    const quiet: Store = { ...store, onDamage: () => {} };
    const blobs = await hashBlobs(quiet, options);
    if (options.repair === true) return repairStore(quiet, blobs, options);
    const findings = await examineStore(quiet, blobs, options);
    // What a build or a prune changed while we looked is no finding.
    return findings.length === 0 ? [] : examineAlone(quiet, blobs, options);
  });
}

async function repairStore(
  store: Store,
  blobs: HashedBlobs,
  options: VerifyOptions,
): Promise<readonly StoreFinding[]> {
  await ensureLayout(store);
  return lockStore(store, async (lock) => {
    const found = await examineStore(store, blobs, options);
    await syncDirectory(blobsDirectory(store));
    const { manifests } = await readIndex(store);
    const readable = await keepReadable(store, manifests);
    const lost = listLost(readable, found);
    const findings = [...found, ...lost.map(describeLost)];
    const kept = readable.filter((entry) => !lost.includes(entry));
    const isSame = kept.length === manifests.length && (await isCopyCurrent(store));
    if (!isSame || findings.some(({ code }) => code === "index-changed")) {
      await writeIndex(store, kept, lock);
    }
    return findings;
  });
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

async function examineAlone(
  store: Store,
  blobs: HashedBlobs,
  options: VerifyOptions,
): Promise<readonly StoreFinding[]> {
  const examine = (): Promise<readonly StoreFinding[]> => examineStore(store, blobs, options);
  try {
    return await lockStore(store, examine);
  } catch (error) {
    // A store that may only be read cannot be locked, and hardly changes.
    if (error instanceof XbuildError && error.code === "store-lock") return examine();
    throw error;
  }
}

async function examineStore(
  store: Store,
  blobs: HashedBlobs,
  options: VerifyOptions,
): Promise<readonly StoreFinding[]> {
  const entries = await listEntries(store);
  const findings = [...(await examineIndex(store, options)), ...(await examineNames(store))];
  for (const digest of blobs.damaged) {
    findings.push(...(await examineBlob(store, digest, entries, options)));
  }
  findings.push(...(await examineDocuments(store, options)));
  findings.push(...(await examineLayers(store, entries, blobs.diffIds, options)));
  const repaired = options.repair === true ? await listEntries(store) : entries;
  return [...findings, ...examineEntries(repaired, options)];
}

async function examineIndex(
  store: Store,
  { repair }: VerifyOptions,
): Promise<readonly StoreFinding[]> {
  const { condition } = await readIndex(store);
  const changed = [
    ...(condition === "whole" ? [] : ["index.json"]),
    ...((await isCopyWhole(store)) ? [] : [join("refs", "index.json")]),
  ];
  const outcome = repair === true ? "repaired" : "left";
  const message = "something other than xbuild changed it";
  return changed.map((path) => ({ code: "index-changed", message, path, names: [], outcome }));
}

/** Names whose manifest or config is not there (any more). */
function examineEntries(
  entries: readonly NamedEntry[],
  { repair }: VerifyOptions,
): readonly StoreFinding[] {
  const broken = entries.filter(({ images }) => images.length === 0 || images.includes(undefined));
  return broken.map(({ name, entry }) => ({
    code: "image-missing",
    message: `the manifest or config of ${name ?? entry.digest} cannot be read: build it again`,
    path: relativeBlob(entry.digest),
    names: name === undefined ? [] : [name],
    outcome: repair === true ? "removed" : "left",
  }));
}

async function keepReadable(
  store: Store,
  manifests: readonly Descriptor[],
): Promise<readonly Descriptor[]> {
  const entries = await listEntries(store);
  const broken = entries.filter(({ images }) => images.length === 0 || images.includes(undefined));
  const gone = new Set(broken.map(({ name, entry }) => name ?? entry.digest));
  return manifests.filter((entry) => !gone.has(nameOfEntry(entry) ?? entry.digest));
}
