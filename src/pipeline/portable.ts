import { decodeText } from "../containerfile/containerfile.ts";
import type { BuildPlan } from "../plan/plan.ts";

/**
 * Whether the steps do the same for every platform: each stage stands on an image whose platform its FROM names, or on
 * nothing, no other image is used, and no instruction names an argument of the target platform.
 */
export function isPortable({ dependencies, containerfile }: BuildPlan): boolean {
  const { preamble } = containerfile;
  const texts = [...dependencies.texts, ...preamble.map((one) => decodeText(one.text))];
  // Also where it stands in a comment or a longer name: then it is built twice.
  if (texts.some((text) => text.includes("TARGET"))) return false;
  return dependencies.stages.every(({ base, platform, uses, output }) => {
    const isFixed = base.kind === "scratch" || base.kind === "stage" || platform !== undefined;
    const others = [...uses.map(({ reference }) => reference), ...(output?.from ?? [])];
    return isFixed && base.kind !== "built" && !others.some(isForPlatform);
  });
}

function isForPlatform({ kind }: { readonly kind: string }): boolean {
  return kind === "image" || kind === "context";
}
