import {
  createLocalReference,
  readLocalImage,
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

/** The image as the engine has it: layers of a previous image where those are equal, else compressed anew. */
export async function takeLoaded(
  { id, scratch, platform, previous }: WantedBase,
  { engine, signal }: BuildRunWorkspace,
): Promise<BaseImage> {
  const config = parseConfig(await engine.readConfig(id));
  const layers = findEqual(config.rootfs.diff_ids, previous);
  if (layers !== undefined) {
    const manifest = { schemaVersion: 2 as const, mediaType: "", config: emptyConfig, layers };
    return { image: { manifest, config }, files: new Map(), locations: [], origin: undefined };
  }
  const reference = createLocalReference(engine.locateImage(id));
  const local = await readLocalImage(reference, scratch, { platform, signal });
  if (local === undefined) {
    throw new XbuildError(
      "image-pull-failed",
      `the image ${id} of --from is no longer in the engine's storage`,
      {
        hint: "build again: another process removed it in the meantime",
      },
    );
  }
  return { ...local, locations: [], origin: undefined };
}

const emptyConfig: Descriptor = { mediaType: "", digest: `sha256:${"0".repeat(64)}`, size: 0 };

/** The layers with this content that previous images have, where they have all. */
function findEqual(
  diffIds: readonly Digest[],
  previous: PreviousImages,
): readonly Descriptor[] | undefined {
  const known = new Map(
    previous
      .toReversed()
      .flatMap(listOfferedLayers)
      .map((layer) => [layer.diffId, layer.descriptor] as const),
  );
  const layers = diffIds.flatMap((diffId) => known.get(diffId) ?? []);
  return layers.length === diffIds.length ? layers : undefined;
}

function listOfferedLayers({ image, withheld }: PreviousImage): readonly LayerClaim[] {
  return listClaims(image).filter(({ descriptor }) => !withheld.has(descriptor.digest));
}
