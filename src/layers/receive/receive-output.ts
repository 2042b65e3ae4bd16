import { chmodSync, lstatSync, mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeTree } from "../../system/remove-tree.ts";
import type { ByteString } from "../../archive/archive.ts";
import { explainSystem } from "../collect/explain-system.ts";
import { readEntries } from "./entry-data.ts";
import { limitBytes, type ReceiveLimits, usualLimits } from "./limits.ts";
import { createReceiver } from "./receiver.ts";

/** What steps wrote to their output on another machine, as it comes here. */
export interface ReceivedOutput {
  /**
   * Fills the output directory of an archive's entries; what an earlier call has brought goes. Documents, blobs, archives
   * and the state become plain files; of a tree of `output/layers` an empty directory stands there, and its files stay in
   * an archive of their own: nothing of another machine is unpacked here. Errors: `layer-tar-...`, `output-file-type`,
   * `layers-too-many`, `layer-too-large`, `layer-too-many-entries`, `store-full`, `open-files-limit`.
   */
  readonly take: (archive: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>;
  /** The archive of a tree of `output/layers`, by its name there. */
  readonly findTree: (fileName: ByteString) => string | undefined;
  /** Puts the archives of trees in the place of their directories: for people to look at. */
  readonly settleTrees: () => void;
}

/**
 * @param output the output directory, in one of ours where nobody else gets in
 * @param given where they are not the usual ones
 */
export function createReceived(output: string, given: Partial<ReceiveLimits> = {}): ReceivedOutput {
  const limits = { ...usualLimits, ...given };
  const spools = join(dirname(output), "received");
  const trees = new Map<ByteString, string>();
  return {
    take: async (archive, signal) => {
      await clear(output, spools);
      trees.clear();
      const receiver = createReceiver({ output, spools, trees, limits });
      try {
        await readEntries(limitBytes(archive, limits), receiver, signal);
        receiver.end();
      } catch (error) {
        receiver.discard();
        throw explainSystem(error);
      }
    },
    findTree: (fileName) => trees.get(fileName),
    settleTrees: () => {
      for (const [name, archive] of trees) settleTree(join(output, "layers"), name, archive);
      trees.clear();
    },
  };
}

/** Under its own name where the one with a suffix is taken, or too long. */
function settleTree(layers: string, name: ByteString, archive: string): void {
  const place = Buffer.concat([Buffer.from(`${layers}/`), Buffer.from(name, "latin1")]);
  const suffixed = Buffer.concat([place, Buffer.from(".tar")]);
  rmdirSync(place);
  const isFree = name.length <= 251 && lstatSync(suffixed, { throwIfNoEntry: false }) === undefined;
  renameSync(archive, isFree ? suffixed : place);
}

/** What is there is moved away first, for names may be no UTF-8. The directory itself stays: it is known by its identity. */
async function clear(output: string, spools: string): Promise<void> {
  await removeTree(spools);
  mkdirSync(spools, { mode: 0o700 });
  const old = join(spools, "old");
  mkdirSync(old);
  for (const [at, name] of readdirSync(output, { encoding: "buffer" }).entries())
    renameSync(Buffer.concat([Buffer.from(`${output}/`), name]), join(old, String(at)));
  await removeTree(old);
  chmodSync(output, 0o700);
}
