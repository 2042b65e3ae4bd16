import type { ImageReference } from "../copy/copy.ts";
import type { ImageName } from "../oci/oci.ts";

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

/** What shall stand for an image, and where it shall go. */
export interface DeliveryRequest {
  /** Names of the image, in full. */
  readonly names: readonly ImageName[];
  /** Whether the engine's storage shall have it under its names. */
  readonly load: boolean;
  /** Where the image is pushed to: its names with --push, and what `-o docker://` names. */
  readonly pushes: readonly ImageReference[];
  readonly destinations: readonly Destination[];
  /** --manifest: a list to which the images are added. */
  readonly list?: ListRequest | undefined;
  /** Whether the bytes of all layers are wanted for what is made of the image later. */
  readonly bytes?: boolean;
  /** Of what is loaded: the store has OCI images. */
  readonly format: "oci" | "docker";
}

/** A list in the store and, where images are loaded, in the engine's storage. */
export interface ListRequest {
  readonly name: ImageName;
  /** Where the whole list is pushed to. */
  readonly push: ImageReference | undefined;
}

/** Whether the bytes of all layers are wanted here, and not only their addresses. */
export function wantsBytes({ load, destinations, bytes }: DeliveryRequest): boolean {
  return load || destinations.length > 0 || bytes === true;
}

/** The request of an image that is a part of something, and gets no name and no place of its own. */
export function asPart(request: DeliveryRequest): DeliveryRequest {
  const { format } = request;
  const bytes = wantsBytes(request);
  return { names: [], load: false, pushes: [], destinations: [], format, bytes };
}

/** The names as the store has them. */
export function listNames({ names }: Pick<DeliveryRequest, "names">): readonly string[] {
  return names.map((one) => one.full);
}
