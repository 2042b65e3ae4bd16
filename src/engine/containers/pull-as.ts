import type { Digest } from "../../oci/oci.ts";
import type { PullSource } from "../model.ts";
import type { CallContext, StoredImage } from "./commands.ts";
import { addNames, type NamingWorkspace, withNames } from "./names.ts";

/**
 * Pulls an image for a platform, which gets a name of ours. By its digest no other name moves; by its name the engine
 * lets that stand for it, and it is put back, unless it may stay. Errors: `image-pull-failed`, `store-lock`.
 */
export async function pullAs(
  source: PullSource,
  keep: string,
  work: NamingWorkspace,
): Promise<Digest> {
  const { name, manifest, flags, isNamed } = source;
  const context = { log: work.reporter.log, signal: work.signal, directory: "" };
  if (manifest === undefined) return pullByName(source, keep, { ...work, context });
  const id = await work.commands.pull(manifest, flags.pull, context);
  // A name with a digest is none that could move.
  await addNames(id, isNamed && !name.includes("@") ? [keep, name] : [keep], work);
  return id;
}

/** Nobody else gives names meanwhile: what moved is what this pull has moved. */
function pullByName(
  { name, platform, flags, isNamed }: PullSource,
  keep: string,
  work: NamingWorkspace & { readonly context: CallContext },
): Promise<Digest> {
  const { commands, context } = work;
  return withNames(work, async () => {
    const before = isNamed ? [] : await commands.listImages();
    const asked = platform === undefined ? [] : [`--platform=${platform}`];
    const id = await commands.pull(name, [...asked, ...flags.pull], context);
    await commands.tag(id, [keep]);
    if (!isNamed) await restoreNames(id, before, work);
    return id;
  });
}

async function restoreNames(
  id: Digest,
  before: readonly StoredImage[],
  { commands }: NamingWorkspace,
): Promise<void> {
  const known = nameIds(before);
  for (const [name, now] of nameIds(await commands.listImages())) {
    const then = known.get(name);
    if (now !== id || then === id || name.startsWith("localhost/xbuild-")) continue;
    if (then === undefined) await commands.removeImages([name]);
    else await commands.tag(then, [name]);
  }
}

function nameIds(images: readonly StoredImage[]): ReadonlyMap<string, Digest> {
  return new Map(
    images.flatMap(({ id, name }) => (name === undefined ? [] : [[name, id] as const])),
  );
}
