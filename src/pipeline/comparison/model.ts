import type { LargePath, PreviousImage } from "../../layers/layers.ts";
import type { Digest } from "../../oci/oci.ts";

/** What became of an image's layers since the image that was the previous one. Sizes in bytes, compressed. */
export interface Comparison {
  /** The first of the previous images; undefined where there was none. */
  readonly previous?: ComparedImage;
  /** Layers in the place of ones that are gone; in the image's order, as all of these. */
  readonly changed: readonly ChangedLayer[];
  /** Layers that stand for none of the previous image. */
  readonly new: readonly NewLayer[];
  /** Layers of the previous image that are not in this one, and that none stands for. */
  readonly removed: readonly RemovedLayer[];
  /** Layers that both images have, by how they came into this one. */
  readonly same: Readonly<Record<"kept" | "equal" | "base", LayerSum>>;
  /** Of all layers. */
  readonly size: number;
  /** Of the layers that whoever has the previous image has not: what a pull of this one brings. */
  readonly download: number;
  /** Layers that several packages share. */
  readonly shared: { readonly layers: number; readonly packages: number };
}

export interface ComparedImage {
  /** As the user would name it, with its digest. */
  readonly reference: string;
  readonly digest: Digest;
  /** Why it was taken. */
  readonly origin: PreviousImage["origin"];
  readonly layers: number;
  /** Of all its layers. */
  readonly size: number;
}

export interface ComparedLayer {
  readonly name: string;
  readonly digest: Digest;
  readonly size: number;
  /** Those that share it, where its name lists several. */
  readonly packages?: readonly string[];
}

export interface NewLayer extends ComparedLayer {
  /** Of the layer of what no package owns: the largest paths in it, with the bytes of the files there. */
  readonly largest?: readonly LargePath[];
}

export interface ChangedLayer extends NewLayer {
  readonly replaces: ComparedLayer;
  /** Of a layer that packages share or shared. */
  readonly packageChanges?: PackageChanges;
}

export interface RemovedLayer extends ComparedLayer {
  /** The layer that its package shares now with others. */
  readonly nowIn?: string;
}

export interface PackageChanges {
  readonly changed: readonly { readonly from: string; readonly to: string }[];
  readonly new: readonly string[];
  readonly removed: readonly string[];
}

export interface LayerSum {
  readonly layers: number;
  readonly size: number;
}
