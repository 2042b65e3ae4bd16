import type { Containerfile } from "../containerfile/containerfile.ts";
import type { Diagnostic } from "../diagnostics.ts";
import type { Engine, EngineLog, PullPolicy } from "../engine/engine.ts";
import type { LayersInput, LayerStatus } from "../layers/layers.ts";
import type { Annotations, Digest, Platform } from "../oci/oci.ts";
import type { ImageName } from "../oci/oci.ts";
import type { TransportAccess } from "../copy/copy.ts";
import type { ImageReference } from "../copy/copy.ts";
import type { WantedPlatform } from "../copy/copy.ts";

/** Where an image is written instead of the engine's storage. */
export type Destination =
  | { readonly kind: "oci"; readonly path: string; readonly name: string | undefined }
  | {
      readonly kind: "oci-archive" | "docker-archive";
      readonly path: string;
      readonly name: string | undefined;
    }
  /** As buildah's `-o`: the flattened file system as files or as a tar ("-" is stdout). */
  | { readonly kind: "files"; readonly text: string };

/** Everything that a user asked for, checked and with its defaults: what a build depends on and what comes of it. */
export interface BuildRequest {
  readonly containerfile: Containerfile;
  /** An absolute path. */
  readonly context: string;
  /** The ignore file for the context, found or named; an absolute path. */
  readonly ignoreFile: string | undefined;
  /** Names of the image, in full. */
  readonly names: readonly ImageName[];
  readonly target: string | undefined;
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Arguments whose values must not stand on a command line: those that stood on none, and those of --redact. */
  readonly hiddenArgs: ReadonlySet<string>;
  /** --redact: arguments whose values must not be told, not even hashed, to whoever reads a record or an image. */
  readonly redacted: ReadonlySet<string>;
  /** name -> directory or `docker-image://NAME` (and the engine's other forms). */
  readonly buildContexts: ReadonlyMap<string, string>;
  /** `os/arch[/variant]`, as given. */
  readonly platform: string | undefined;
  /** Which entry of a manifest list is meant: the platform asked for, else this machine's. */
  readonly registryPlatform: WantedPlatform;
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: Annotations;
  readonly pull: PullPolicy;
  readonly noCache: boolean;
  /** SOURCE_DATE_EPOCH in seconds. */
  readonly epoch: number | undefined;
  /** Given as --timestamp: then the engine is told too. */
  readonly timestamp: boolean;
  readonly format: "oci" | "docker";
  readonly destinations: readonly Destination[];
  readonly load: boolean;
  /** Where the image is pushed to: its names with --push, and what `-o docker://` names. */
  readonly pushes: readonly ImageReference[];
  /** Images whose layers may be kept, in the order given; they come before those of the names. */
  readonly cacheFrom: readonly ImageReference[];
  /** A previous image that cannot be read is told of, and counts as not there. */
  readonly ignoreCacheErrors: boolean;
  /** Of whom keys, fingerprints and layers by reference are believed, beside our own store. */
  readonly trustCache: "none" | "named" | "all";
  /** Which blobs the build finds, whatever OUTPUT says. */
  readonly input: LayersInput["input"] | undefined;
  /** How registries are reached. */
  readonly access: TransportAccess;
  readonly quiet: boolean;
  /** Tell why a target is built again. */
  readonly explain: boolean;
  readonly maxLayers: number;
  /** Bytes. */
  readonly maxLayerSize: number;
  readonly allowDevices: boolean;
  readonly flags: EngineFlags;
  readonly storeDirectory: string;
  /** The directory that holds the helper `layer`. */
  readonly helperDirectory: string;
}

/** Flags of the command line that the engine's calls get as they are. */
export interface EngineFlags {
  /** For every call that runs steps; part of the up-to-date key. */
  readonly step: readonly string[];
  /** For the same calls, and no part of the key. */
  readonly access: readonly string[];
  /** For the calls that build environments alone. */
  readonly cache: readonly string[];
  /** Of those, what a pull understands too. */
  readonly pull: readonly string[];
}

/** How a build tells of itself. */
export interface BuildReporter {
  readonly log: EngineLog;
  /** A step begins; the function that is returned tells that it ended, with a word of result. */
  readonly step: (title: string) => (result?: string) => void;
  readonly warn: (diagnostic: Diagnostic) => void;
  /** How far the step is that runs, for a terminal: it takes the place of what was said last. */
  readonly progress: (text: string) => void;
  /** A reason why the target is built again. */
  readonly explain: (reason: string) => void;
}

export interface BuildPorts {
  readonly engine: Engine;
  readonly reporter: BuildReporter;
  readonly signal: AbortSignal;
  /** RFC 3339 in whole seconds. */
  readonly now: string;
  /** Called when the image is known and no name stands for it yet: what fails there leaves all as it was. */
  readonly beforeNaming?: (result: BuildResult) => Promise<void>;
  /**
   * Starts over where ordinary users have all ids of the container (`buildah unshare`), and gives
   * the exit status; undefined, or a result of undefined, where that is not needed.
   */
  readonly enterNamespace?: () => Promise<number | undefined>;
}

/** What moves layers needs no engine. */
export type TransferPorts = Pick<BuildPorts, "reporter" | "signal">;

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
}

export interface BuildResult {
  readonly names: readonly string[];
  readonly digest: Digest;
  readonly configDigest: Digest;
  readonly platform: Platform;
  readonly upToDate: boolean;
  readonly layers: readonly ResultLayer[];
}
