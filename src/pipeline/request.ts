import type { ImageReference } from "../copy/copy.ts";
import { type DeliveryRequest, wantsBytes } from "../delivery/delivery.ts";
import type { StepsRequest } from "../engine/engine.ts";
import type { LargePath, LayersRequest, LayerStatus } from "../layers/layers.ts";
import type { Annotations, Digest, ImageName, Platform, WantedPlatform } from "../oci/oci.ts";
import type { Comparison } from "./comparison/model.ts";

/** Everything that a user asked for, checked and with its defaults; each slice is read by one room. */
export interface BuildRequest {
  /** What the steps get, and how they are run. */
  readonly steps: StepsRequest;
  /** What the build finds of earlier layers, and what its own may be. */
  readonly layers: LayersRequest;
  /** What the image says beside what the file says. */
  readonly image: ImageRequest;
  /** What of earlier builds may be used. */
  readonly reuse: ReuseRequest;
  /** What stands for the image, and where it goes. */
  readonly delivery: DeliveryRequest;
}

export interface ImageRequest {
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: Annotations;
}

export interface ReuseRequest {
  /** Images whose layers may be kept, in the order given; they come before those of the names. */
  readonly cacheFrom: readonly ImageReference[];
  /** What is built, whatever its name: the real paths of file and context, or what stands for them. */
  readonly source: readonly string[];
  /** Names whose images in the store are previous ones. */
  readonly names: readonly ImageName[];
  /** References of a registry that the image will be pushed to: what stands there is a previous image. */
  readonly pushes: readonly ImageReference[];
  /** --cache-tags: which other tags of the names' repositories may be previous images. */
  readonly cacheTags?: TagPattern | undefined;
  /** --history: earlier images that steps hear of; none of them is a previous one for that. */
  readonly history?: readonly HistorySource[] | undefined;
  /** A previous image that cannot be read is told of, and counts as not there. */
  readonly ignoreErrors: boolean;
  /** Of whom keys, fingerprints and layers by reference are believed, beside our own store. */
  readonly trust: "none" | "named" | "all";
  /** Which entry of a manifest list is meant: the platform asked for, else this machine's. */
  readonly platform: WantedPlatform;
  /** --redact: arguments whose values must not be told, not even hashed, to whoever reads a record or an image. */
  readonly redacted: ReadonlySet<string>;
  /** Tell why a target is built again. */
  readonly explain: boolean;
}

/** One image of the past, or those of a repository whose tags fit. */
export type HistorySource =
  | { readonly kind: "image"; readonly reference: ImageReference }
  | {
      readonly kind: "tags";
      /** As the user wrote it. */
      readonly text: string;
      /** `host[:port]/ns/repo`; `localhost/...` is the store's. */
      readonly repository: string;
      readonly tags: TagPattern;
    };

export interface TagPattern {
  readonly matches: (tag: string) => boolean;
}

/** Another process has done the build, and told of it. */
export interface Continued {
  /** Its exit status. */
  readonly continuedElsewhere: number;
}

/** A layer of the result, as `--metadata-file` has it. Sizes in bytes, compressed. */
export interface ResultLayer {
  readonly name: string;
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly mediaType: string;
  readonly size: number;
  readonly status: LayerStatus;
  /** Whether its bytes are on this machine, and were checked here; else what is said of it is its registry's word. */
  readonly verified: boolean;
  /** Of a layer of what no package owns, where the build read it: its largest paths. */
  readonly largest?: readonly LargePath[] | undefined;
}

export interface BuildResult {
  readonly names: readonly string[];
  readonly digest: Digest;
  readonly configDigest: Digest;
  /** Of the manifest, which `digest` is of. */
  readonly mediaType: string;
  /** Bytes of the manifest. */
  readonly size: number;
  readonly platform: Platform;
  readonly upToDate: boolean;
  readonly layers: readonly ResultLayer[];
  /** What became of the layers since the previous image; undefined where nothing was made. */
  readonly comparison?: Comparison;
  /** What came of the stages that the target uses, where they have images of their own and were looked at. */
  readonly stages?: readonly StageResult[];
}

export interface StageResult {
  readonly name: string;
  /** Of its image's manifest, in the store. */
  readonly digest: Digest;
  readonly upToDate: boolean;
  readonly newLayers: number;
}

/** Whether the bytes of all layers are wanted here before the image has its names. */
export function needsBytes({ delivery, reuse }: BuildRequest): boolean {
  return wantsBytes(delivery) || reuse.trust === "none";
}
