import { type Digest, digestBytes, encodeJson, type Image, parseConfig } from "../oci/oci.ts";
import type { EvaluatedImage } from "./dockerfile.ts";
import type { Bridge } from "./gateway/connect.ts";
import { asLayered, type LayeredImage, type LayerSource, takeLowest } from "./layer-sources.ts";
import { findBottom } from "./llb/find-bottom.ts";
import { scratch, type State } from "./llb/state.ts";
import { describeKnown } from "./step/previous-image.ts";

/** The image of a stage, or one from outside. */
export interface StageImage {
  readonly state: State;
  /** Whose config, and layers as far as they are known: for their digests stand their diff IDs. */
  readonly image: Image;
  /** Where each of its layers comes from, the lowest first. */
  readonly sources: readonly LayerSource[];
}

/** What BuildKit's own frontend made: what its layers are is known of an image somewhere else alone. */
export async function describeEvaluated(
  bridge: Bridge,
  { state, config, baseConfig }: EvaluatedImage,
): Promise<StageImage> {
  const found = await findLayered(bridge, state, baseConfig);
  if (found !== undefined) {
    const { layered, known } = found;
    const digest = digestBytes(known);
    const image = describeKnown({ reference: layered.identifier, digest, config: known });
    const { diff_ids: diffIds } = image.config.rootfs;
    const sources = diffIds.map((_, index) => ({ kind: "image", image: layered, index }) as const);
    return { state, image, sources };
  }
  return describeStage(bridge, { state, config, baseConfig });
}

/** A stage that has layers of its own on those of an image: the image's are known, and of the others how many they are. */
async function describeStage(
  bridge: Bridge,
  { state, config, baseConfig }: EvaluatedImage,
): Promise<StageImage> {
  const parsed = parseConfig(config);
  const bottom = findBottom(state);
  const base = bottom && (await findLayered(bridge, bottom, baseConfig));
  const known = base === undefined ? [] : parseConfig(base.known).rootfs.diff_ids;
  const count = (parsed.history ?? []).filter((one) => one.empty_layer !== true).length;
  const below = base === undefined ? scratch : takeLowest(base.layered, known.length);
  // What they will be nobody knows yet; they are told apart from all others.
  const own = Array.from({ length: Math.max(count - known.length, 0) }, (_, index) => ({
    diffId: standIn(state, index),
    source: { kind: "stage", state, below } as const,
  }));
  const lower = known.flatMap((diffId, index) =>
    base === undefined
      ? []
      : [{ diffId, source: { kind: "image", image: base.layered, index } as const }],
  );
  const layers = [...lower, ...own];
  const rootfs = { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) };
  const bytes = encodeJson({ ...parsed, rootfs });
  return {
    state,
    image: describeKnown({ reference: "", digest: digestBytes(bytes), config: bytes }),
    sources: layers.map(({ source }) => source),
  };
}

interface FoundLayers {
  /** By its digest. */
  readonly layered: LayeredImage;
  /** Its config. */
  readonly known: Uint8Array;
}

const registryPrefix = "docker-image://";

/** Of an image that a named context stands for nobody has told the layers, and it may be there by its tag. */
async function findLayered(
  bridge: Bridge,
  state: State,
  baseConfig: Uint8Array | undefined,
): Promise<FoundLayers | undefined> {
  const layered = asLayered(state);
  if (layered === undefined) return undefined;
  const { identifier, platform } = layered;
  if (baseConfig !== undefined && identifier.includes("@")) return { layered, known: baseConfig };
  if (!identifier.startsWith(registryPrefix)) return undefined;
  const ref = identifier.slice(registryPrefix.length);
  const logName = `[layers] look for the layers of ${ref}`;
  const request = { ref, logName, ...(platform === undefined ? {} : { platform }) };
  const { digest, config } = await bridge.resolveImageConfig(request);
  const pinned = ref.includes("@") ? identifier : `${identifier}@${digest}`;
  return { layered: { ...layered, identifier: pinned }, known: config };
}

function standIn({ output }: State, index: number): Digest {
  return digestBytes(Buffer.from(`${output?.digest}:${output?.index}:${index}`));
}
