import type { Reference } from "../containerfile/containerfile.ts";
import type { BuiltReference, ImageReference } from "./model.ts";

/**
 * What an image that a file's reference stands for is kept by in a build: its name, with the platform where FROM asks
 * for another than the result's; or the stage's number.
 */
export function imageKey(reference: ImageReference | BuiltReference): string;
export function imageKey(reference: Reference): string | undefined;
export function imageKey(reference: Reference): string | undefined {
  if (reference.kind === "image") {
    const { name, platform } = reference;
    return platform?.isOther === true ? `${name} for ${platform.text}` : name;
  }
  return reference.kind === "built" ? `stage ${reference.index}` : undefined;
}

/** The name in the key of an image, without the platform. */
export function nameOfKey(key: string): string {
  const end = key.lastIndexOf(" for ");
  return end === -1 ? key : key.slice(0, end);
}
