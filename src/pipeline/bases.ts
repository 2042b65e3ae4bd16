import { join } from "node:path";
import type { Reference } from "../containerfile/containerfile.ts";
import { XbuildError } from "../errors.ts";
import { baseDigestAnnotation, baseNameAnnotation } from "../oci/oci.ts";
import { listHistory } from "../oci/oci.ts";
import type { Annotations, Descriptor, Digest, Image } from "../oci/oci.ts";
import { parseConfig } from "../oci/oci.ts";
import type { BuildPlan } from "../plan/plan.ts";
import { locateImage, type Location } from "../store/store.ts";
import type { Run } from "../store/store.ts";
import type { LayerFiles } from "../copy/copy.ts";
import type { ImageReference } from "../copy/copy.ts";
import type { BuildInputs } from "./inputs.ts";
import type { FoundImages } from "./previous.ts";
import type { BuildPorts, BuildRequest } from "./request.ts";

/** An image whose layers stand below those of the build. */
export interface BaseImage {
  readonly image: Pick<Image, "manifest" | "config">;
  /** Bytes of its layers that are new here. */
  readonly files: LayerFiles;
  readonly locations: readonly Location[];
  /** What it is in a registry. */
  readonly origin: { readonly name: string; readonly digest: Digest } | undefined;
}

export interface BasesInput {
  readonly request: BuildRequest;
  readonly plan: BuildPlan;
  readonly ports: BuildPorts;
  readonly run: Run;
  readonly inputs: BuildInputs;
  readonly found: FoundImages;
  /** IDs of the stages' images, without algorithm. */
  readonly stages: ReadonlyMap<number, string>;
}

/**
 * The images of OUTPUT's `--from`, in order. The layers of one in a registry stand by reference, as those of
 * a previous image do. The engine's storage has no compressed bytes: layers of other images are those that a
 * previous image has with the same content, else they are compressed anew. Errors: those of skopeo.
 */
export async function findBases(input: BasesInput): Promise<readonly BaseImage[]> {
  const bases: BaseImage[] = [];
  for (const [index, reference] of input.plan.bases.entries()) {
    bases.push(await findBase(reference, input, join(input.run.directory, `base-${index}`)));
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

async function findBase(
  reference: Reference,
  input: BasesInput,
  directory: string,
): Promise<BaseImage> {
  if (reference.kind === "image") {
    const id = input.inputs.images.get(reference.name);
    if (id === undefined) throw new RangeError(`no image ${reference.name}`);
    return (
      (await findInRegistry(reference.name, id, input, directory)) ??
      takeLoaded(id, input, directory)
    );
  }
  const id = reference.kind === "stage" ? input.stages.get(reference.index) : undefined;
  if (id === undefined) throw new RangeError("a base is an image or a stage");
  return takeLoaded(`sha256:${id}`, input, directory);
}

/** Where the registry's image is the very one that the engine has under that name. */
async function findInRegistry(
  name: string,
  id: Digest,
  { request, ports }: BasesInput,
  scratch: string,
): Promise<BaseImage | undefined> {
  const { completeReference } = await import("./identify.ts");
  const reference = await completeReference(name, request);
  if (reference?.repository === undefined) return undefined;
  const image = await readQuietly(reference, request, ports, scratch);
  if (image === undefined || image.manifest.config.digest !== id) return undefined;
  const origin = { name: reference.text.replace(/^docker:\/\//, ""), digest: image.digest };
  return { image, files: new Map(), locations: [locateImage(image, reference.repository)], origin };
}

/** A registry that does not answer is no reason to fail: the engine has the image. */
async function readQuietly(
  reference: ImageReference,
  { access, registryPlatform: platform }: BuildRequest,
  { signal }: BuildPorts,
  scratch: string,
): Promise<Image | undefined> {
  const { readRemoteImage } = await import("../copy/copy.ts");
  try {
    return await readRemoteImage(reference, {
      access: { ...access, retries: 0 },
      platform,
      signal,
      scratch,
    });
  } catch (error) {
    if (error instanceof XbuildError && !signal.aborted) return undefined;
    throw error;
  }
}

async function takeLoaded(id: Digest, input: BasesInput, directory: string): Promise<BaseImage> {
  const { ports, request, found } = input;
  const config = parseConfig(await ports.engine.readConfig(id));
  const layers = findEqual(config.rootfs.diff_ids, found);
  if (layers !== undefined) {
    const manifest = { schemaVersion: 2 as const, mediaType: "", config: emptyConfig, layers };
    return { image: { manifest, config }, files: new Map(), locations: [], origin: undefined };
  }
  const { readLocalImage } = await import("../copy/copy.ts");
  const text = `containers-storage:${ports.engine.storageSpecifier()}@${id.replace("sha256:", "")}`;
  const reference: ImageReference = { text, repository: undefined, digest: undefined };
  const options = { platform: request.registryPlatform, signal: ports.signal };
  const local = await readLocalImage(reference, directory, options);
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
  { previous }: FoundImages,
): readonly Descriptor[] | undefined {
  const known = new Map(
    previous
      .toReversed()
      .flatMap(({ image }) => listHistory(image))
      .flatMap(({ layer }) =>
        layer === undefined ? [] : [[layer.diffId, layer.descriptor] as const],
      ),
  );
  const layers = diffIds.flatMap((diffId) => known.get(diffId) ?? []);
  return layers.length === diffIds.length ? layers : undefined;
}
