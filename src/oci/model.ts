/** JSON as JSON.parse gives it. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** `sha256:<64 lower-case hex>`. image-spec v1.1, descriptor.md, "Digests". */
export type Digest = `sha256:${string}`;

export type Annotations = Readonly<Record<string, string>>;

/** image-spec v1.1, descriptor.md. `size` in bytes. */
export interface Descriptor {
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  readonly urls?: readonly string[];
  readonly annotations?: Annotations;
  readonly platform?: Platform;
}

/** image-spec v1.1, image-index.md, "platform". */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly variant?: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
}

/** image-spec v1.1, manifest.md. */
export interface Manifest {
  readonly schemaVersion: 2;
  readonly mediaType: string;
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
  readonly annotations?: Annotations;
}

/** image-spec v1.1, config.md, "history". */
export interface HistoryEntry {
  readonly created?: string;
  readonly author?: string;
  readonly created_by?: string;
  readonly comment?: string;
  readonly empty_layer?: boolean;
}

/** The execution parameters: image-spec v1.1, config.md, "config", and the fields that Docker adds (Healthcheck, Shell, OnBuild). */
export interface ContainerConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, Json>>;
  readonly Env?: readonly string[];
  readonly Entrypoint?: readonly string[];
  readonly Cmd?: readonly string[];
  readonly Volumes?: Readonly<Record<string, Json>>;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>>;
  readonly StopSignal?: string;
  readonly Healthcheck?: Json;
  readonly Shell?: readonly string[];
  readonly OnBuild?: readonly string[];
  readonly ArgsEscaped?: boolean;
}

/** The image configuration: image-spec v1.1, config.md. */
export interface ImageConfig extends Platform {
  readonly created?: string;
  readonly author?: string;
  readonly config?: ContainerConfig;
  readonly rootfs: { readonly type: "layers"; readonly diff_ids: readonly Digest[] };
  readonly history?: readonly HistoryEntry[];
}

/** A whole image without its layers' bytes: exact documents, and what they say. */
export interface Image {
  /** Of `manifestBytes`. */
  readonly digest: Digest;
  readonly manifestBytes: Uint8Array;
  readonly manifest: Manifest;
  readonly configBytes: Uint8Array;
  readonly config: ImageConfig;
}

/** An index of images, a platform each: its exact bytes, and what they say. image-spec v1.1, image-index.md */
export interface ImageIndex {
  /** Of `bytes`. */
  readonly digest: Digest;
  readonly bytes: Uint8Array;
  /** One for each image, in their order, with its platform. */
  readonly manifests: readonly Descriptor[];
  readonly images: readonly Image[];
  readonly annotations: Annotations;
}

/** One entry of an image's history with the layer that it stands for, if it stands for one. */
export interface HistoryItem {
  readonly entry: HistoryEntry;
  readonly layer?: { readonly descriptor: Descriptor; readonly diffId: Digest };
}
