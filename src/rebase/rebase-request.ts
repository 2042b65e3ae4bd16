import type { ImageReference } from "../copy/copy.ts";
import type { Workspace } from "../delivery/delivery.ts";
import type { Digest, Image, ImageIndex, WantedPlatform } from "../oci/oci.ts";

/** An image as a user names it: where the store has it under that name, that one. */
export interface SourceName {
  /** As it was given. */
  readonly text: string;
  /** In full, for the store; undefined where another place is meant. */
  readonly stored: string | undefined;
  /** Elsewhere; undefined for a name that no registry can have. */
  readonly reference: ImageReference | undefined;
}

/** What `xbuild rebase` is asked for. */
export interface RebaseRequest {
  readonly image: SourceName;
  readonly onto: SourceName;
  /** The old base; the one that the image's annotations name unless given. */
  readonly from: SourceName | undefined;
  /** Full names that shall stand for the result in the store. */
  readonly names: readonly string[];
  readonly pushes: readonly ImageReference[];
  /** Of lists of several platforms, the image that is meant. */
  readonly platform: WantedPlatform;
  /** Whether all images of a list are meant: no platform was asked for. */
  readonly everyPlatform: boolean;
  /** How many layers the result may have. */
  readonly maxLayers: number;
  /** Whether own layers may hide what changed in the base. */
  readonly force: boolean;
}

/** Where a rebase is done: it needs no engine. */
export interface RebaseWorkspace extends Workspace {
  /** RFC 3339 in whole seconds. */
  readonly now: string;
}

/** A base as people name it. */
export interface NamedBase {
  readonly name: string;
  readonly digest: Digest;
  readonly layers: number;
}

/** What came of the images of an index, a platform each. */
export interface RebasedIndex {
  readonly index: ImageIndex;
  /** All of them were as they should be already. */
  readonly isUpToDate: boolean;
  /** In the index's order. */
  readonly platforms: readonly RebaseResult[];
}

export interface RebaseResult {
  readonly image: Image;
  /** Bytes of the layers that the image before has not. */
  readonly download: number;
  /** The image was as it should be already. */
  readonly isUpToDate: boolean;
  readonly from: NamedBase;
  readonly onto: NamedBase;
}
