import type { Descriptor } from "./model.ts";

/**
 * Whether an entry of an index is no image, but what BuildKit says of one (provenance, a list of its parts).
 * https://github.com/moby/buildkit/blob/master/docs/attestations/attestation-storage.md
 */
export function isAttestation({ annotations }: Pick<Descriptor, "annotations">): boolean {
  return annotations?.["vnd.docker.reference.type"] !== undefined;
}
