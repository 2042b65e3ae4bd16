import type { FindingCode } from "../../codes.ts";
import type { Digest, Location } from "../../oci/oci.ts";

/** Something in the store that is not as it was written. */
export interface StoreFinding {
  readonly code: FindingCode;
  readonly message: string;
  /** The file, relative to the store. */
  readonly path: string;
  /** Full names of the images that it concerns. */
  readonly names: readonly string[];
  /** `repaired`: as it was; `removed`: gone, a build makes it anew; `left`: as it was found. */
  readonly outcome: "repaired" | "removed" | "left";
}

export interface VerifyOptions {
  /** Puts right what can be, and removes what is of no use any more. */
  readonly repair?: boolean;
  /**
   * Brings the bytes of a blob from where its images came from or went to, into a new file whose path it returns;
   * undefined where none has it.
   */
  readonly fetchBlob?: (blob: DamagedBlob) => Promise<string | undefined>;
  /**
   * Hashes a blob, and what it has in it as a layer: the diff ID, undefined where it is no layer. Layers are a room
   * of their own.
   */
  readonly hashBlob: (path: string) => Promise<BlobHash>;
}

/** A blob that is to be brought anew. */
export interface DamagedBlob {
  readonly digest: Digest;
  /** The images that have it, as the index names them. */
  readonly images: readonly KnownImage[];
  /** Of a run: for what is fetched. */
  readonly directory: string;
}

export interface KnownImage {
  /** In full. */
  readonly name: string;
  /** Of its manifest, or its index of several platforms. */
  readonly digest: Digest;
  /** Where its layers are known to be in registries. */
  readonly locations: readonly Location[];
}

export interface BlobHash {
  readonly digest: Digest;
  readonly diffId: Digest | undefined;
}
