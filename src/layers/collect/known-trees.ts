import { closeDirectory, openDirectory, signTree } from "../../archive/archive.ts";
import { type Digest, digestBytes } from "../../oci/oci.ts";
import { readIdMap } from "../../system/linux.ts";
import type { FoundLayer } from "./found-layer.ts";
import { collectLoose, type LooseContext, type LooseJob } from "./loose.ts";
import { chooseReuse } from "./pack-source.ts";

/** Which layer a tree came to, by a digest of what stat(2) says of it. */
export interface TreeMemory {
  /** @returns a diff ID */
  readonly find: (key: Digest) => Promise<Digest | undefined>;
  readonly keep: (key: Digest, diffId: Digest) => Promise<void>;
}

/** Milliseconds before a change counts as settled: some file systems have times of two seconds (FAT). */
const clockStep = 2000;

/**
 * As `collectLoose`. A tree of a directory that outlives the build, in which nothing was touched since it was looked at
 * last, is not read where a previous image has its layer.
 */
export async function collectTree(
  job: LooseJob,
  memory: TreeMemory,
  context: LooseContext,
): Promise<FoundLayer> {
  const before = await identifyTree(job, context);
  const known = before === undefined ? undefined : await memory.find(before);
  const layer = known === undefined ? undefined : context.previous.byDiffId.get(known);
  if (layer !== undefined) return { kind: "equal", layer };
  let isWarned = false;
  const warn: LooseContext["warn"] = (warning) => {
    isWarned = true;
    context.warn(warning);
  };
  const found = await collectLoose(job, { ...context, warn });
  // That of another image may be equal by its own word alone, which need not be taken the next time.
  if (found.kind !== "new" || before === undefined || isWarned) return found;
  if (before === (await identifyTree(job, context))) await memory.keep(before, found.diffId);
  return found;
}

/** Whose the files are to our eyes. user_namespaces(7) */
function ids(): readonly (string | number | undefined)[] {
  return [process.geteuid?.(), readIdMap("uid_map"), readIdMap("gid_map")];
}

/** With the tree all that decides what its layer is. */
async function identifyTree(
  { directory, layer }: LooseJob,
  { options }: LooseContext,
): Promise<Digest | undefined> {
  const root = openDirectory(directory, layer.fileName);
  try {
    const signature = await signTree(root, Date.now() - clockStep, options.signal);
    if (signature === undefined) return undefined;
    const { epoch = null, allowDevices, maxLayerSize } = options;
    const parts = [1, signature, chooseReuse(options), epoch, allowDevices, maxLayerSize, ...ids()];
    return digestBytes(Buffer.from(JSON.stringify(parts)));
  } finally {
    closeDirectory(root);
  }
}
