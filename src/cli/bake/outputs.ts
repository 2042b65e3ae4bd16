import type { Entry } from "./entries.ts";

/**
 * Outputs with what `--push` asks for: images are pushed; where nothing but the engine's storage is named, an image is.
 * Without it: no image is pushed.
 */
export function setPush(outputs: readonly Entry[], isPushed: boolean): Entry[] {
  const set = (one: Entry): Entry =>
    one["type"] === "image" ? { ...one, push: String(isPushed) } : one;
  if (!isPushed) return outputs.filter(({ type }) => type !== "registry").map(set);
  const pushed = outputs.map(set);
  const isElsewhere = outputs.some(({ type }) => type !== "docker");
  return isElsewhere ? pushed : [...pushed, { type: "image", push: "true" }];
}

/** Outputs with what `--load` asks for: images go to the engine's storage, too; files stay files. */
export function setLoad(outputs: readonly Entry[], isLoaded: boolean): Entry[] {
  const isDone = outputs.some(({ type, dest }) => type === "docker" && (dest ?? "") === "");
  const hasFiles = outputs.some(({ type = "" }) => !imageTypes.has(type));
  return !isLoaded || isDone || hasFiles ? [...outputs] : [...outputs, { type: "docker" }];
}

const imageTypes: ReadonlySet<string> = new Set(["docker", "image", "registry", "oci"]);
