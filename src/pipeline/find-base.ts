import {
  createLocalReference,
  readPartialImage,
  readRemoteImage,
  type RegistryReference,
} from "../copy/copy.ts";
import { type LayerClaim, listClaims } from "../delivery/delivery.ts";
import { XbuildError } from "../errors.ts";
import type { PreviousImage, PreviousImages } from "../layers/layers.ts";
import {
  type Descriptor,
  type Digest,
  type Image,
  type ImageConfig,
  locateImage,
  parseConfig,
  type WantedPlatform,
} from "../oci/oci.ts";
import type { BaseImage } from "./bases.ts";
import { completeReference } from "./identify.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** A base that is looked for. */
export interface WantedBase {
  /** Of the image in the engine's storage. */
  readonly id: Digest;
  /** A private directory that does not exist yet. */
  readonly scratch: string;
  readonly platform: WantedPlatform;
  readonly previous: PreviousImages;
}

/** Where the registry's image is the very one that the engine has under that name. */
export async function findInRegistry(
  name: string,
  wanted: WantedBase,
  work: BuildRunWorkspace,
): Promise<BaseImage | undefined> {
  const reference = await completeReference(name, work.registries);
  if (reference === undefined) return undefined;
  const image = await readQuietly(reference, wanted, work);
  if (image === undefined || image.manifest.config.digest !== wanted.id) return undefined;
  const origin = { name: reference.name, digest: image.digest };
  return { image, files: new Map(), locations: [locateImage(image, reference.repository)], origin };
}

/** A registry that does not answer is no reason to fail: the engine has the image. */
async function readQuietly(
  reference: RegistryReference,
  { platform, scratch }: WantedBase,
  { registries, signal }: BuildRunWorkspace,
): Promise<Image | undefined> {
  const access = { ...registries, retries: 0 };
  try {
    return await readRemoteImage(reference, { access, platform, signal, scratch });
  } catch (error) {
    if (error instanceof XbuildError && !signal.aborted) return undefined;
    throw error;
  }
}

/**
 * The image as the engine has it, its layers one by one those of previous images where such have the same content, else
 * compressed anew. Only the latter are read. Errors: `image-pull-failed` where it is gone, `copy-failed`, `store-full`.
 */
export async function takeLoaded(
  { id, scratch, platform, previous }: WantedBase,
  { engine, signal }: Pick<BuildRunWorkspace, "engine" | "signal">,
): Promise<BaseImage> {
  const config = parseConfig(await engine.readConfig(id));
  const descriptors = indexKnown(previous);
  const layers = config.rootfs.diff_ids.flatMap((diffId) => descriptors.get(diffId) ?? []);
  if (layers.length === config.rootfs.diff_ids.length) {
    const manifest = { schemaVersion: 2 as const, mediaType: "", config: emptyConfig, layers };
    return { image: { manifest, config }, files: new Map(), locations: [], origin: undefined };
  }
  const reference = createLocalReference(engine.locateImage(id));
  const options = { platform, signal, known: pickKnown(config, descriptors) };
  const local = await readPartialImage(reference, scratch, options);
  if (local !== undefined) return { ...local, locations: [], origin: undefined };
  const message = `the image ${id} of --from is no longer in the engine's storage`;
  throw new XbuildError("image-pull-failed", message, {
    hint: "build again: another process removed it in the meantime",
  });
}

const emptyConfig: Descriptor = { mediaType: "", digest: `sha256:${"0".repeat(64)}`, size: 0 };

type KnownLayers = ReadonlyMap<Digest, Descriptor>;

/** Layers by their content: the first image's before the next one's. */
function indexKnown(previous: PreviousImages): KnownLayers {
  return new Map(
    previous
      .map(listOfferedLayers)
      .toReversed()
      .flat()
      .map(({ diffId, descriptor }) => [diffId, descriptor]),
  );
}

function listOfferedLayers({ image, withheld }: PreviousImage): readonly LayerClaim[] {
  return listClaims(image).filter(({ descriptor }) => !withheld.has(descriptor.digest));
}

/** Those that the image has. */
function pickKnown({ rootfs }: ImageConfig, layers: KnownLayers): KnownLayers {
  return new Map(
    rootfs.diff_ids.flatMap((diffId): readonly [Digest, Descriptor][] => {
      const layer = layers.get(diffId);
      return layer === undefined ? [] : [[diffId, layer]];
    }),
  );
}
