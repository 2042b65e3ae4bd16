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
    const at = platform === undefined ? -1 : order.indexOf(namePlatform(platform));
    return at === -1 ? Infinity : at;
  });
  const best = Math.min(...ranked);
  return best === Infinity ? undefined : entries[ranked.indexOf(best)];
}

/** `os/architecture[/variant]` */
export function renderPlatform({ os, architecture, variant }: WantedPlatform): string {
  return [os, architecture, ...(variant ? [variant] : [])].join("/");
}

/** The one name of a platform that has several: `linux/x86_64` is `linux/amd64`. */
export function namePlatform(platform: WantedPlatform): string {
  return renderPlatform(normalisePlatform(platform));
}

export function isSamePlatform(one: WantedPlatform, other: WantedPlatform): boolean {
  return namePlatform(one) === namePlatform(other);
}

/** What Go calls systems and architectures. containerd, `isKnownOS` and `isKnownArch` */
const systems = new Set(
  "aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris windows zos".split(
    " ",
  ),
);
const architectures = new Set(
  "386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm".split(
    " ",
  ),
);

/**
 * A platform as users write it, `OS/ARCHITECTURE[/VARIANT]`, in its one form: `linux/x86_64` is `linux/amd64`,
 * `linux/arm64/v8` is `linux/arm64`. One of the two alone is that of this host's, as `local` is. undefined where a text
 * names none. containerd, `Parse`
 */
export function parsePlatform(text: string, host: WantedPlatform): WantedPlatform | undefined {
  const parts = text.split("/");
  if (parts.length > 3 || !parts.every((part) => /^[A-Za-z0-9_.-]+$/.test(part))) return undefined;
  const [first = "", second, variant] = parts;
  const platform = normalisePlatform(completePlatform([first, second, variant], host));
  if (!systems.has(platform.os) || !architectures.has(platform.architecture)) return undefined;
  const { os, architecture } = platform;
  return platform.variant === "" ? { os, architecture } : platform;
}

function completePlatform(
  [first, second, variant]: readonly [string, string | undefined, string | undefined],
  host: WantedPlatform,
): WantedPlatform {
  if (second !== undefined) {
    return { os: first, architecture: second, ...(variant === undefined ? {} : { variant }) };
  }
  if (first === "local") return host;
  const isSystem = systems.has(normalisePlatform({ os: first, architecture: "" }).os);
  return isSystem ? { ...host, os: first } : { os: host.os, architecture: first };
}

/** All that may be taken, the best first. */
function listFitting(wanted: WantedPlatform): readonly string[] {
  const { os, architecture, variant = "" } = normalisePlatform(wanted);
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

/** One name for what has several; a variant of "" stands for the first. containerd, `Normalize` and `normalizeArch` */
export function normalisePlatform(platform: WantedPlatform): WantedPlatform {
  const lower = platform.os.toLowerCase();
  const os = lower === "macos" ? "darwin" : lower;
  const [architecture, implied] = aliases[platform.architecture.toLowerCase()] ?? [
    platform.architecture.toLowerCase(),
  ];
  const given = (platform.variant ?? "").toLowerCase();
  const variant = normaliseVariant(architecture, given || implied || "");
  return { os, architecture, variant };
}

function normaliseVariant(architecture: string, variant: string): string {
  // 64-bit machines are of version 8, and of the first one, unless they say something else.
  if (architecture === "arm64") return /^v?8$/.test(variant) ? "" : variant;
  if (architecture === "amd64") return variant === "v1" ? "" : variant;
  if (architecture !== "arm") return variant;
  return variant === "" ? "v7" : variant.replace(/^(?=[5-8]$)/, "v");
}
