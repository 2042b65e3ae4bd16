import { fingerprintAnnotation } from "./annotations.ts";
import type { Annotations, Descriptor } from "./model.ts";

/**
 * Version 1: the first 128 bits of the sha256 of the canonical archive with every mtime 0. It changes whenever the canonical form
 * does, so that a fingerprint of another version is simply not equal.
 */
const version = "v1";

/** The annotation of a layer whose content has this fingerprint (hex). */
export function annotateFingerprint(fingerprint: string): Annotations {
  return { [fingerprintAnnotation]: `${version}:${fingerprint}` };
}

/** The fingerprint (hex) that a layer's annotation gives, where it is one of this version. */
export function readFingerprint(descriptor: Descriptor): string | undefined {
  const value = descriptor.annotations?.[fingerprintAnnotation] ?? "";
  return /^v1:[0-9a-f]{32}$/.test(value) ? value.slice(version.length + 1) : undefined;
}
