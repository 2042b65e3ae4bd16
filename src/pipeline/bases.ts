import { join } from "node:path";
import type { Reference } from "../containerfile/containerfile.ts";
import type { LayerStatus, PreviousImages } from "../layers/layers.ts";
import {
  type Annotations,
  baseDigestAnnotation,
  baseNameAnnotation,
  type Digest,
  type Image,
  type LayerFiles,
  type Location,
} from "../oci/oci.ts";
import { readLocations } from "../store/store.ts";
import { findInRegistry, takeLoaded, type WantedBase } from "./find-base.ts";
import { takePlaced, takeStored } from "./placed-images.ts";
import { nameImage } from "./resolve-images.ts";
import type { BuildInputs } from "./resolve-inputs.ts";
import type { Build, BuildRunWorkspace } from "./workspace.ts";

/** An image whose layers stand below those of the build. */
export interface BaseImage {
  readonly image: Pick<Image, "manifest" | "config">;
  /** Bytes of its layers that are new here. */
  readonly files: LayerFiles;
  readonly locations: readonly Location[];
  /** What became of its layers where another stage made them just now, by their diff IDs. */
  readonly statuses?: ReadonlyMap<Digest, LayerStatus>;
  /** What it is in a registry. */
  readonly origin: { readonly name: string; readonly digest: Digest } | undefined;
}

/**
 * The images whose layers stand below those of the build, in order: OUTPUT's `--from`, or what a stage without OUTPUT
 * stands on. The layers of one in a registry stand by reference, as those of a previous image do, and so do those of
 * another stage's image. The engine's storage has no compressed bytes: layers of other images are those that a
 * previous image has with the same content, else they are compressed anew. Errors: those of skopeo.
 */
export async function findBases(
  build: Build,
  previous: PreviousImages,
  work: BuildRunWorkspace,
): Promise<readonly BaseImage[]> {
  const bases: BaseImage[] = [];
  for (const [index, reference] of build.plan.target.bases.entries()) {
    const { platform } = build.request.reuse;
    const scratch = join(work.run.directory, `base-${index}`);
    bases.push(await findBase(build, { reference, scratch, platform, previous }, work));
  }
  return bases;
}

interface WantedReference extends Omit<WantedBase, "id"> {
  readonly reference: Reference;
}

async function findBase(
  { inputs, request }: Build,
  { reference, ...wanted }: WantedReference,
  work: BuildRunWorkspace,
): Promise<BaseImage> {
  if (reference.kind === "built") return takeStage(inputs, reference.index, work);
  const name = nameImage(reference, request);
  const id = name === undefined ? undefined : inputs.images.get(name);
  if (name === undefined || id === undefined) throw new RangeError("a base is an image");
  const known = { ...wanted, id };
  return (
    (await takePlaced(name, known, work)) ??
    (await takeStored(name, known, work)) ??
    (await findInRegistry(name, known, work)) ??
    takeLoaded(known, work)
  );
}

/** The store has it, or knows where its layers are. */
async function takeStage(
  { stages }: BuildInputs,
  index: number,
  { store, run }: BuildRunWorkspace,
): Promise<BaseImage> {
  const stage = stages.get(index);
  if (stage === undefined) throw new RangeError(`the stage ${index} has no image`);
  const { image, layers = [] } = stage;
  await run.mustHold(image);
  const locations = await readLocations(store, image.digest);
  const statuses = new Map(layers.map(({ diffId, status }) => [diffId, status]));
  return { image, files: new Map(), locations, statuses, origin: undefined };
}

/** The annotations that tell an image's base: what a rebase goes by. image-spec v1.1, annotations.md. */
export function describeBase(base: BaseImage | undefined): Annotations {
  if (base?.origin === undefined) return {};
  return { [baseNameAnnotation]: base.origin.name, [baseDigestAnnotation]: base.origin.digest };
}
