import { chmodSync, mkdirSync, readdirSync, renameSync, rmdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { removeTree } from "../../system/remove-tree.ts";
import type { ByteString } from "../../archive/archive.ts";
import { explainSystem } from "../collect/explain-system.ts";
import { readEntries } from "./entry-data.ts";
import { createReceiver } from "./receiver.ts";

/** What steps wrote to their output on another machine, as it comes here. */
export interface ReceivedOutput {
  /**
   * Fills the output directory of an archive's entries; what an earlier call has brought goes. Documents, blobs, archives
   * and the state become plain files; of a tree of `output/layers` an empty directory stands there, and its files stay in
   * an archive of their own: nothing of another machine is unpacked here. Errors: `layer-tar-...`, `output-file-type`,
   * `store-full`, `open-files-limit`.
   */
  readonly take: (archive: AsyncIterable<Uint8Array>, signal: AbortSignal) => Promise<void>;
  /** The archive of a tree of `output/layers`, by its name there. */
  readonly findTree: (fileName: ByteString) => string | undefined;
  /** Puts the archives of trees in the place of their directories: for people to look at. */
  readonly settleTrees: () => void;
}

/** @param output the output directory, in one of ours where nobody else gets in */
export function createReceived(output: string): ReceivedOutput {
  const spools = join(dirname(output), "received");
  const trees = new Map<ByteString, string>();
  return {
    take: async (archive, signal) => {
      await clear(output, spools);
      trees.clear();
      const receiver = createReceiver({ output, spools, trees });
      try {
        await readEntries(archive, receiver, signal);
        receiver.end();
      } catch (error) {
        receiver.discard();
        throw explainSystem(error);
      }
    },
    findTree: (fileName) => trees.get(fileName),
    settleTrees: () => {
      for (const [name, archive] of trees) {
        const parent = Buffer.from(`${join(output, "layers")}/`);
        const place = Buffer.concat([parent, Buffer.from(name, "latin1")]);
        rmdirSync(place);
        renameSync(archive, Buffer.concat([place, Buffer.from(".tar")]));
      }
      trees.clear();
    },
  };
}

async function clear(output: string, spools: string): Promise<void> {
  for (const name of readdirSync(output)) await removeTree(join(output, name));
  await removeTree(spools);
  mkdirSync(spools, { mode: 0o700 });
  chmodSync(output, 0o700);
}
