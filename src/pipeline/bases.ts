import { join } from "node:path";
import type { Reference } from "../containerfile/containerfile.ts";
import type { PreviousImages } from "../layers/layers.ts";
import {
  type Annotations,
  baseDigestAnnotation,
  baseNameAnnotation,
  type Digest,
  type HistoryEntry,
  type Image,
  inputsLabel,
  type LayerFiles,
  type Location,
} from "../oci/oci.ts";
import { findInRegistry, takeLoaded, type WantedBase } from "./find-base.ts";
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
    const wanted = { id, scratch, platform: build.request.reuse.platform };
    bases.push(await findBase(reference, { ...wanted, previous: sources.previous }, work));
  }
  return bases;
}

async function findBase(
  reference: Reference,
  wanted: WantedBase,
  work: BuildRunWorkspace,
): Promise<BaseImage> {
  if (reference.kind === "image") {
    const there = await findInRegistry(reference.name, wanted, work);
    return there ?? takeLoaded(wanted, work);
  }
  const { image, ...stage } = await takeLoaded(wanted, work);
  return { ...stage, image: withoutRun(image) };
}

/** What is the run's own in it, and would give each build another image: the base's name, and what tells steps apart. */
function withoutRun({ manifest, config }: BaseImage["image"]): BaseImage["image"] {
  const history = config.history
    ?.filter(({ created_by: by = "" }) => !by.includes(` LABEL ${inputsLabel}=`))
    .map((entry): HistoryEntry => {
      const { comment: _, ...rest } = entry;
      return rest;
    });
  return { manifest, config: history === undefined ? config : { ...config, history } };
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
