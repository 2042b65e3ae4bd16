import { XbuildError } from "../../errors.ts";
import { syncDirectory } from "../../system/durable.ts";
import { lockStore } from "../layout/access.ts";
import { explainFailures } from "../layout/failures.ts";
import { readIndex } from "../layout/index-file.ts";
import { ensureLayout } from "../layout/layout.ts";
import { blobsDirectory, type Store } from "../layout/paths.ts";
import { withRun, type Run } from "../runs/runs.ts";
import type { Examination } from "./examination.ts";
import type { StoreFinding, VerifyOptions } from "./findings.ts";
import { listEntries } from "./usage.ts";
import { examineBlob, examineNames, hashBlobs, type HashedBlobs } from "./verify-blobs.ts";
import { examineDocuments } from "./verify-documents.ts";
import { examineEntries, examineIndex, repairIndex } from "./verify-index.ts";
import { examineLayers } from "./verify-layers.ts";

/**
 * Checks every byte of the store: blobs against their digests, the index and xbuild's own documents
 * against their checksums, layers against the diff IDs that images say they have, and that every name has its
 * manifest and config. Layers that are not here at all are no finding: an image may keep layers that only a
 * registry has. Others may build meanwhile.
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
    const examination = { store: quiet, options, repair: undefined };
    const findings = await examineStore(examination, blobs);
    // What a build or a prune changed while we looked is no finding.
    return findings.length === 0 ? [] : examineAlone(examination, blobs);
  });
}

async function repairStore(
  store: Store,
  blobs: HashedBlobs,
  options: VerifyOptions,
): Promise<readonly StoreFinding[]> {
  await ensureLayout(store);
  const repair = (run?: Run): Promise<readonly StoreFinding[]> =>
    lockStore(store, async (lock) => {
      const found = await examineStore({ store, options, repair: { lock, run } }, blobs);
      await syncDirectory(blobsDirectory(store));
      return repairIndex(store, found, lock);
    });
  return blobs.damaged.length === 0 ? repair() : withRun(store, repair);
}

async function examineAlone(
  examination: Examination,
  blobs: HashedBlobs,
): Promise<readonly StoreFinding[]> {
  const examine = (): Promise<readonly StoreFinding[]> => examineStore(examination, blobs);
  try {
    return await lockStore(examination.store, examine);
  } catch (error) {
    // A store that may only be read cannot be locked, and hardly changes.
    if (error instanceof XbuildError && error.code === "store-lock") return examine();
    throw error;
  }
}

async function examineStore(
  examination: Examination,
  { damaged, diffIds }: HashedBlobs,
): Promise<readonly StoreFinding[]> {
  const { store, repair } = examination;
  const entries = await listEntries(store);
  const known = { ...examination, entries };
  const findings = [...(await examineIndex(examination)), ...(await examineNames(store))];
  for (const digest of damaged) findings.push(...(await examineBlob(digest, known)));
  findings.push(...(await examineDocuments(examination)));
  findings.push(...(await examineLayers(diffIds, known)));
  const now = repair === undefined ? entries : await listEntries(store);
  return [...findings, ...examineEntries(now, examination)];
}
