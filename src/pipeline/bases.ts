import { join } from "node:path";
import type { Reference } from "../containerfile/containerfile.ts";
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
  type Annotations,
  baseDigestAnnotation,
  baseNameAnnotation,
  type Descriptor,
  type Digest,
  type Image,
  type LayerFiles,
  type Location,
  locateImage,
  parseConfig,
} from "../oci/oci.ts";
import { completeReference } from "./identify.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** An image whose layers stand below those of the build. */
export interface BaseImage {
  readonly image: Pick<Image, "manifest" | "config">;
  /** Bytes of its layers that are new here. */
  readonly files: LayerFiles;
  readonly locations: readonly Location[];
  /** What it is in a registry. */
  readonly origin: { readonly name: string; readonly digest: Digest } | undefined;
}

/** What bases are found with. */
export interface BaseSources {
  readonly previous: PreviousImages;
  /** Image IDs of the stages that were evaluated. */
  readonly stages: ReadonlyMap<number, Digest>;
}

/**
 * The images of OUTPUT's `--from`, in order. The layers of one in a registry stand by reference, as those of
 * a previous image do. The engine's storage has no compressed bytes: layers of other images are those that a
 * previous image has with the same content, else they are compressed anew. Errors: those of skopeo.
 */
export async function findBases(
  build: Build,
  sources: BaseSources,
  work: BuildRunWorkspace,
): Promise<readonly BaseImage[]> {
  const bases: BaseImage[] = [];
  for (const [index, reference] of build.plan.target.bases.entries()) {
    const scratch = join(work.run.directory, `base-${index}`);
    const id = identifyBase(reference, build, sources);
    bases.push(
      (reference.kind === "image" &&
        (await findInRegistry(reference.name, { id, build, scratch }, work))) ||
        (await takeLoaded(id, { build, scratch, previous: sources.previous }, work)),
    );
  }
  return bases;
}

export function countLayers(bases: readonly BaseImage[]): number {
  return bases.reduce((sum, one) => sum + one.image.manifest.layers.length, 0);
}

/** The annotations that tell an image's base: what a rebase goes by. image-spec v1.1, annotations.md. */
export function describeBase(base: BaseImage | undefined): Annotations {
  if (base?.origin === undefined) return {};
  return { [baseNameAnnotation]: base.origin.name, [baseDigestAnnotation]: base.origin.digest };
}

function identifyBase(reference: Reference, { inputs }: Build, { stages }: BaseSources): Digest {
  const id =
    reference.kind === "image"
      ? inputs.images.get(reference.name)
      : reference.kind === "stage"
        ? stages.get(reference.index)
        : undefined;
  if (id === undefined) throw new RangeError("a base is an image that was resolved, or a stage");
  return id;
}

interface WantedBase {
  /** Of the image in the engine's storage. */
  readonly id: Digest;
  readonly build: Build;
  /** A private directory that does not exist yet. */
  readonly scratch: string;
}

/** Where the registry's image is the very one that the engine has under that name. */
async function findInRegistry(
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
  { build, scratch }: WantedBase,
  { registries, signal }: BuildRunWorkspace,
): Promise<Image | undefined> {
  const { platform } = build.request.reuse;
  const access = { ...registries, retries: 0 };
  try {
    return await readRemoteImage(reference, { access, platform, signal, scratch });
  } catch (error) {
    if (error instanceof XbuildError && !signal.aborted) return undefined;
    throw error;
  }
}

async function takeLoaded(
  id: Digest,
  { build, scratch, previous }: Omit<WantedBase, "id"> & Pick<BaseSources, "previous">,
  { engine, signal }: BuildRunWorkspace,
): Promise<BaseImage> {
  const config = parseConfig(await engine.readConfig(id));
  const layers = findEqual(config.rootfs.diff_ids, previous);
  if (layers !== undefined) {
    const manifest = { schemaVersion: 2 as const, mediaType: "", config: emptyConfig, layers };
    return { image: { manifest, config }, files: new Map(), locations: [], origin: undefined };
  }
  const reference = createLocalReference(engine.locateImage(id));
  const { platform } = build.request.reuse;
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
