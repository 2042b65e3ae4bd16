import type { Platform } from "./model.ts";

/** What tells the images of a manifest list apart. */
export type WantedPlatform = Pick<Platform, "architecture" | "os" | "variant">;

/**
 * The entry of a manifest list that a machine of this platform would run, chosen as containerd does (its package
 * `platforms`, `OnlyStrict`): the very variant, else the next lower one that such a machine can run. Where no variant is
 * wanted, and all are for newer machines, it is the one that asks for least. @returns undefined where none fits
 */
export function pickPlatform<T extends { readonly platform?: WantedPlatform }>(
  entries: readonly T[],
  wanted: WantedPlatform,
): T | undefined {
  const order = listFitting(wanted);
  const ranked = entries.map(({ platform }) => {
    const at = platform === undefined ? -1 : order.indexOf(renderPlatform(normalise(platform)));
    return at === -1 ? Infinity : at;
  });
  const best = Math.min(...ranked);
  return best === Infinity ? undefined : entries[ranked.indexOf(best)];
}

/** `os/architecture[/variant]` */
export function renderPlatform({ os, architecture, variant }: WantedPlatform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join("/");
}

/** All that may be taken, the best first. */
function listFitting(wanted: WantedPlatform): readonly string[] {
  const { os, architecture, variant = "" } = normalise(wanted);
  const known = variants[architecture] ?? [""];
  const at = known.indexOf(variant);
  const lower = at === -1 ? [variant] : known.slice(0, at + 1).toReversed();
  const higher = wanted.variant ? [] : known.filter((one) => !lower.includes(one));
  return [...lower, ...higher].map((one) => renderPlatform({ os, architecture, variant: one }));
}

/** The lowest first; "" is the one that nobody names. containerd, `platformVector` */
const variants: Readonly<Record<string, readonly string[]>> = {
  amd64: ["", "v2", "v3", "v4"],
  arm: ["v5", "v6", "v7", "v8"],
  arm64: ["", "v9"],
};

const aliases: Readonly<Record<string, readonly [string, string?]>> = {
  x86_64: ["amd64"],
  "x86-64": ["amd64"],
  i386: ["386"],
  i486: ["386"],
  i586: ["386"],
  i686: ["386"],
  aarch64: ["arm64"],
  armhf: ["arm", "v7"],
  armel: ["arm", "v6"],
};

/** One name for what has several. containerd, `normalizeArch` */
function normalise(platform: WantedPlatform): WantedPlatform {
  const { os } = platform;
  const [architecture, implied] = aliases[platform.architecture] ?? [platform.architecture];
  const variant = normaliseVariant(architecture, platform.variant || implied || "");
  return { os, architecture, variant };
}

function normaliseVariant(architecture: string, variant: string): string {
  // 64-bit machines are of version 8, and of the first one, unless they say something else.
  if (architecture === "arm64") return /^v?8$/.test(variant) ? "" : variant;
  if (architecture === "amd64") return variant === "v1" ? "" : variant;
  if (architecture !== "arm") return variant;
  return variant === "" ? "v7" : variant.replace(/^(?=[5-8]$)/, "v");
}
