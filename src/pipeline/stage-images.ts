import type { CollectedLayer, PreviousImages } from "../layers/layers.ts";
import type { Digest, Image } from "../oci/oci.ts";

/** What came of a stage whose image another stage uses. */
export interface StageImage {
  readonly name: string;
  readonly image: Image;
  /** What its build said of its layers; undefined where nothing had to be built. */
  readonly layers: readonly CollectedLayer[] | undefined;
  /** Whose layers it might keep, where it was built. */
  readonly previous?: PreviousImages | undefined;
  /** Whether its key stands for it: not where an input changed while it was built. */
  readonly isKeyed: boolean;
}

/** Images of the stages that other plans make, by the stages' indexes in the file. */
export type StageImages = ReadonlyMap<number, StageImage>;

/** What tells what a stage is made of. */
export interface StageKey {
  /** undefined for a stage whose result cannot be known before it is built. */
  readonly key: Digest | undefined;
  /** The same for all platforms, where no step reads anything of the one that it is built for. */
  readonly portableKey: Digest | undefined;
}

export type StageKeys = ReadonlyMap<number, StageKey>;
