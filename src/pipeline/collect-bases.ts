import { join } from "node:path";
import type { ImageReference } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import { findImage, readLocations } from "../store/store.ts";
import type { BaseImage } from "./bases.ts";
import { readReference, type ReadPlace } from "./read-reference.ts";
import type { ReuseRequest } from "./request.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** An image as a user names it: where the store has it under that name, that one. */
export interface NamedImage {
  readonly text: string;
  /** In full, for the store; undefined where another place is meant. */
  readonly stored: string | undefined;
  /** Elsewhere; undefined for a name that no registry can have. */
  readonly reference: ImageReference | undefined;
}

/**
 * The images whose layers stand below those of a directory. No engine is asked for them. Errors: `image-not-found`, those
 * of reading them
 */
export async function readBases(
  names: readonly NamedImage[],
  reuse: ReuseRequest,
  work: BuildRunWorkspace,
): Promise<readonly BaseImage[]> {
  const bases: BaseImage[] = [];
  for (const [index, name] of names.entries()) {
    const scratch = join(work.run.directory, `base-${index}`);
    const base =
      (await readStored(name, reuse, work)) ??
      (await readElsewhere(name, { platform: reuse.platform, scratch }, work));
    if (base === undefined) throw notFound(name);
    bases.push(base);
  }
  return bases;
}

function notFound({ text }: NamedImage): XbuildError {
  return new XbuildError("image-not-found", `--from ${text}: there is no such image`, {
    hint: "check the name; an image of an engine's storage is containers-storage:NAME",
  });
}

async function readStored(
  { stored }: NamedImage,
  { platform }: ReuseRequest,
  { store, run }: BuildRunWorkspace,
): Promise<BaseImage | undefined> {
  const image = stored === undefined ? undefined : await findImage(store, stored, platform);
  if (image === undefined) return undefined;
  await run.mustHold(image);
  const locations = await readLocations(store, image.digest);
  return { image, files: new Map(), locations, origin: undefined };
}

async function readElsewhere(
  { reference }: NamedImage,
  place: ReadPlace,
  work: BuildRunWorkspace,
): Promise<BaseImage | undefined> {
  const read = reference && (await readReference(reference, place, work));
  if (reference === undefined || read === undefined) return undefined;
  const isRemote = reference.repository !== undefined;
  const origin = isRemote ? { name: reference.name, digest: read.image.digest } : undefined;
  return { ...read, origin };
}
