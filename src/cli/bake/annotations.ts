import { unsupported } from "./unsupported.ts";

/**
 * Annotations as `--annotation` takes them, `KEY=VALUE`: those of the manifest. `manifest,index:KEY=VALUE` says where
 * they stand. Errors: `bake-unsupported` for other places.
 */
export function listAnnotations(texts: readonly string[], target: string): readonly string[] {
  return texts.map((text) => {
    const equals = text.indexOf("=");
    const colon = text.slice(0, Math.max(equals, 0)).indexOf(":");
    if (colon === -1) return text;
    const places = text.slice(0, colon).split(",");
    if (places.every((place) => place === "manifest")) return text.slice(colon + 1);
    throw unsupported(
      target,
      `the annotation ${text}`,
      "leave out what stands before its colon: the manifest is annotated",
    );
  });
}
