import type { Step } from "../reporter.ts";
import type { ByteString, Compression } from "../archive/archive.ts";
import type {
  Annotations,
  ContainerConfig,
  Descriptor,
  Digest,
  HistoryEntry,
  Image,
  LayerFiles,
  Location,
} from "../oci/oci.ts";
import type { Diagnostic } from "../diagnostics.ts";
import type { EarlyLayers } from "./collect/early.ts";
import type { Release } from "./directory/releases.ts";
import type { TreeMemory } from "./collect/known-trees.ts";
import type { StagedBlob } from "../store/store.ts";

/** An earlier image whose layers a build may keep. */
export interface PreviousImage {
  /** As the user would name it, with its digest: `localhost/app:latest@sha256:...`; the digest alone where no name is known. */
  readonly reference: string;
  readonly image: Image;
  /**
   * Named by --cache-from; a name of the image in the store; the last build here of the same file, context and stage,
   * whatever its tag; such a name where the image is pushed to; found by --cache-tags.
   */
  readonly origin: "named" | "store" | "last" | "pushed" | "tags";
  /** Whether it stands where the image will be pushed to, named or not. */
  readonly isDestination: boolean;
  /** Whether the fingerprints in its annotations may be believed (the tag being built, or named by the user). */
  readonly trusted: boolean;
  /** Whether its layers are known by their diff IDs alone: these stand in their descriptors for digests that nobody tells. */
  readonly isByDiffId?: boolean;
  /** Layers that are of no use, for they are nowhere any more: the build is not offered them. */
  readonly withheld: ReadonlySet<Digest>;
  /** Where its layers are in registries. */
  readonly locations: readonly Location[];
  /** Its layers' bytes that are in no store: they came with it. */
  readonly files: LayerFiles;
}

/** `history` comes from the first, `others` from the rest. */
export type PreviousImages = readonly PreviousImage[];

export type Reuse = "content" | "exact";

export interface LayersInput {
  readonly previous: PreviousImages;
  /** The path of a blob on this machine, or undefined where it is not here. */
  readonly findBlob: (digest: Digest) => Promise<string | undefined>;
  readonly input: "local" | "all" | "none";
  /** What this build may list. */
  readonly maxLayers: number;
  /** Layers that stand below those of the build. */
  readonly baseLayers: number;
  /** The directory that the last build's `output/state` was kept in, if there is one, and the digest of its image. */
  readonly state?: { readonly directory: string; readonly image: Digest | undefined };
  /** Earlier images that the helper hears of, the oldest first. */
  readonly releases?: readonly Release[];
}

/** What the layers of an image may be, and what a build finds of the earlier ones. */
export interface LayersRequest {
  /** Which blobs the build finds, whatever OUTPUT says. */
  readonly input: LayersInput["input"] | undefined;
  readonly maxLayers: number;
  /** Bytes. */
  readonly maxLayerSize: number;
  readonly allowDevices: boolean;
  /** --keep-output: where the output is left, absolute; a directory a stage. */
  readonly keepOutput?: string;
  /** The directory that holds the helper `layer`. */
  readonly helperDirectory: string;
}

/** Which directory it is, whatever its path leads to: device and inode. */
export interface DirectoryIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

/** How layers are packed, and what they may prove to be. */
export interface PackingOptions {
  /** By content unless given or an epoch is set: then by the exact archive. */
  readonly reuse: Reuse | undefined;
  readonly compression: Compression;
  /** SOURCE_DATE_EPOCH in seconds, where one is set. */
  readonly epoch: number | undefined;
  /** Bytes. */
  readonly maxLayerSize: number;
  readonly allowDevices: boolean;
  /** An empty directory of the store's run; finished blobs stay here. */
  readonly staging: string;
  readonly signal?: AbortSignal | undefined;
  /** Told which layer is at work, and how many bytes of archives have been looked through. */
  readonly onProgress?: Step["progress"] | undefined;
}

export interface LayerLimit {
  readonly maxLayers: number;
  /** Layers that stand below those of the build. */
  readonly baseLayers: number;
}

export interface CollectOptions extends PackingOptions, LayerLimit {
  readonly previous: PreviousImages;
  /** Whether the bytes of a previous image's layer are in our store, where they have been looked into. */
  readonly isKnown: (digest: Digest) => Promise<boolean>;
  /** What trees of a directory came to that outlives the build. */
  readonly trees?: TreeMemory | undefined;
  /** What was packed before the build had ended. */
  readonly early?: EarlyLayers | undefined;
  /** The archive that has the files of a tree, by its name in `output/layers`: they came from another machine. */
  readonly findTree?: ((fileName: ByteString) => string | undefined) | undefined;
  /** Of the output directory, where it is known: it must still be that one. */
  readonly identity?: DirectoryIdentity;
}

/**
 * `kept`: by reference to a previous image; `equal`: the build wrote it and it proved to be a previous
 * image's layer; `new`: everything else.
 */
export type LayerStatus = "base" | "kept" | "equal" | "new";

export interface CollectedLayer {
  /** The build's name for it: `created_by`. */
  readonly name: string;
  readonly status: LayerStatus;
  readonly descriptor: Descriptor;
  readonly diffId: Digest;
  /** The history entry as it goes into the config; `created` is missing where the image's own time is to stand. */
  readonly history: HistoryEntry;
  /** The bytes; undefined where the blob is that of a previous image. */
  readonly blob?: StagedBlob;
  /** Of a layer of what no package owns, where it was read. */
  readonly largest?: readonly LargePath[];
}

/** A file, or all files below a directory. */
export interface LargePath {
  /** From the root, without a slash before it. */
  readonly path: string;
  /** Bytes, uncompressed. */
  readonly size: number;
}

/** What stands in the image's history, in order: layers, and entries without one. */
export type CollectedEntry =
  | { readonly kind: "layer"; readonly layer: CollectedLayer }
  | { readonly kind: "empty"; readonly history: HistoryEntry };

export interface CollectedOutput {
  readonly entries: readonly CollectedEntry[];
  /** `output/config.json`, checked: keys to replace or merge, null removes. */
  readonly config: { readonly [K in keyof ContainerConfig]: ContainerConfig[K] | null } | undefined;
  /** `output/annotations.json`, checked. */
  readonly annotations: Annotations;
  readonly warnings: readonly Diagnostic[];
  /** The directory with what the build wants to find in `input/state` next time, if it wrote one. */
  readonly state: string | undefined;
}
