import { join } from "node:path";
import {
  createLocalReference,
  readLocalDocuments,
  readLocalId,
  readLocalImage,
  readRemoteImage,
  splitReference,
} from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import {
  type Digest,
  type Image,
  type ImageConfig,
  isLocalName,
  localName,
  parseConfig,
  parseImageName,
  type WantedPlatform,
} from "../oci/oci.ts";
import { commitImage, findImage, markUse, removeNames, withRun } from "../store/store.ts";
import { completeReference } from "./identify.ts";
import { loadImage } from "./load-stages.ts";
import { createShared } from "./shared.ts";
import type { CallerWorkspace } from "./workspace.ts";

/** An image from any place, as FROM and mounts can name it. */
export interface TakenIn {
  readonly name: string;
  /** Gives up the name, where it is not to outlive the build. */
  readonly release?: () => Promise<void>;
}

/** Of an image that is for several platforms, the one that is meant; where it is written, the engine is asked for that one. */
interface Wanted {
  readonly platform: WantedPlatform;
  readonly isGiven: boolean;
}

/**
 * Lets steps use an image that the engine may not have: of a layout, an archive or a storage, and of the store. Names that
 * the engine has, and those of registries, stay what they are. Errors: `image-not-found`, those of reading and loading it
 */
export async function takeIn(
  text: string,
  wanted: Wanted,
  work: CallerWorkspace,
): Promise<TakenIn> {
  if (splitReference(text) !== undefined) return takeStored(text, wanted, work);
  const { platform } = wanted;
  const id = await readLocalId(createLocalReference(text), { ...work, platform });
  if (id === undefined) throw notThere(text);
  return work.engine.isElsewhere
    ? keepInStore(text, { id, platform }, work)
    : loadPlace(text, { id, ...wanted }, work);
}

/** A name that the store has and the engine has not. One elsewhere looks there by itself. */
async function takeStored(
  text: string,
  { platform }: Wanted,
  work: CallerWorkspace,
): Promise<TakenIn> {
  const { engine, store } = work;
  const isFixed = text.includes("@");
  const full = isFixed ? text : parseImageName(text).full;
  if (engine.isElsewhere || isFixed || !isLocalName(full)) return { name: text };
  if ((await engine.findImage(text)) !== undefined) return { name: text };
  const image = await findImage(store, full, platform);
  if (image === undefined) return { name: text };
  const keep = localName("xbuild-base", image.digest);
  if (!(await isKept(image.manifest.config.digest, keep, work))) {
    const done = work.reporter.step(`Loading ${text}`);
    await withRun(store, (run) =>
      loadImage(image, keep, { ...work, shared: createShared(1), run }),
    );
    done();
  }
  await markUse(store, keep);
  return { name: keep };
}

interface Place {
  readonly id: Digest;
  readonly platform: WantedPlatform;
}

/** Under a name of ours, which keeps it for the next time. */
async function loadPlace(
  text: string,
  { id, platform, isGiven }: Place & Wanted,
  work: CallerWorkspace,
): Promise<TakenIn> {
  const { engine, store, reporter } = work;
  const keep = localName("xbuild-base", id);
  if (!(await isKept(id, keep, work))) {
    const done = reporter.step(`Reading ${text}`);
    await withRun(store, async ({ directory: scratch }) => {
      const image = await readPlace(text, { platform, scratch: join(scratch, "place") }, work);
      const asked = isGiven ? { platform } : {};
      // As it is there: in OCI's form it would lose what Docker's alone has.
      const loaded = { reference: text, image, ...asked, format: "oci", scratch } as const;
      await engine.loadImage(loaded, [keep], work);
    });
    done();
  }
  await markUse(store, keep);
  return { name: keep };
}

/** Manifest and config; of what may be an index with its layers, for only all of it tells. */
async function readPlace(
  text: string,
  { platform, scratch }: Pick<Place, "platform"> & { readonly scratch: string },
  { signal }: CallerWorkspace,
): Promise<Image> {
  const reference = createLocalReference(text);
  const options = { platform, signal };
  const image = /^(?:oci-archive|dir):/.test(text)
    ? (await readLocalImage(reference, scratch, options))?.image
    : await readLocalDocuments(reference, options);
  if (image === undefined) throw notThere(text);
  return image;
}

function notThere(text: string): XbuildError {
  return new XbuildError("image-not-found", `${text}: there is no such image`, {
    hint: "check the path and the name; a relative path begins at the working directory",
  });
}

async function isKept(id: Digest, keep: string, work: CallerWorkspace): Promise<boolean> {
  const { engine } = work;
  if ((await engine.findImage(keep)) !== undefined) return true;
  const isHere = (await engine.findImage(id)) !== undefined;
  return isHere && engine.keepImage(id, keep, work);
}

/** Where the engine looks for names without a registry. */
async function keepInStore(
  text: string,
  { id, platform }: Place,
  work: CallerWorkspace,
): Promise<TakenIn> {
  const { store, signal } = work;
  const name = localName("xbuild-split", id);
  const release = async (): Promise<void> => void (await removeNames(store, [name]));
  const done = work.reporter.step(`Reading ${text}`);
  await withRun(store, async (run) => {
    const scratch = join(run.directory, "place");
    const local = await readLocalImage(createLocalReference(text), scratch, { platform, signal });
    if (local === undefined) throw notThere(text);
    await commitImage(run, { image: local.image, files: local.files, names: [name] });
  });
  done();
  return { name, release };
}

/**
 * The config of such an image, of the engine, the store or its registry; undefined where that cannot be found out without
 * pulling it.
 */
export async function readSourceConfig(
  name: string,
  platform: WantedPlatform,
  work: CallerWorkspace,
): Promise<ImageConfig | undefined> {
  const { engine, store } = work;
  const id = engine.isElsewhere ? undefined : await engine.findImage(name);
  if (id !== undefined) return parseConfig(await engine.readConfig(id));
  const isFixed = name.includes("@");
  const stored = isFixed ? undefined : await findImage(store, parseImageName(name).full, platform);
  return (stored ?? (await readRemote(name, platform, work)))?.config;
}

async function readRemote(
  name: string,
  platform: WantedPlatform,
  { registries, signal }: CallerWorkspace,
): Promise<Image | undefined> {
  try {
    const reference = await completeReference(name, registries);
    const access = { ...registries, retries: 0 };
    return reference && (await readRemoteImage(reference, { access, platform, signal }));
  } catch (error) {
    if (error instanceof XbuildError && !signal.aborted) return undefined;
    throw error;
  }
}
