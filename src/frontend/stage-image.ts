import { type Digest, digestBytes, type Image, parseConfig } from "../oci/oci.ts";
import type { EvaluatedImage } from "./dockerfile.ts";
import type { Bridge } from "./gateway/connect.ts";
import { asLayered, type LayeredImage, type LayerSource } from "./layer-sources.ts";
import type { State } from "./llb/state.ts";
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
  const parsed = parseConfig(config);
  const count = (parsed.history ?? []).filter((one) => one.empty_layer !== true).length;
  // What they will be nobody knows yet; they are told apart from all others.
  const diffIds = Array.from({ length: count }, (_, index) => standIn(state, index));
  const bytes = Buffer.from(
    JSON.stringify({ ...parsed, rootfs: { type: "layers", diff_ids: diffIds } }),
  );
  return {
    state,
    image: describeKnown({ reference: "", digest: digestBytes(bytes), config: bytes }),
    sources: diffIds.map(() => ({ kind: "stage", state }) as const),
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
