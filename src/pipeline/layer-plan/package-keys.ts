import { nameStem, splitPackages, withoutStore } from "../comparison/layer-names.ts";

/** Names that `layer split` gives to what is no package, and their kinds. */
const specials: readonly (readonly [RegExp, string])[] = [
  [/^[a-z0-9]+-database$/, "database"],
  [/^python-cache$/, "cache"],
  [/^other$/, "other"],
];

/** What a system's package manager alone writes for a version. */
const ownVersions: Readonly<Record<string, RegExp>> = {
  apk: /-\d[\w.]*-r\d+$/,
  dpkg: /-\d[\w.+:~]*-\d[\w.+~]*$/,
  pacman: /-\d[\w.+:~]*-\d+(?:\.\d+)?$/,
  rpm: /-\d[\w.+^~]*-\d[\w^~]*\.[\w.]+$/,
};

/** The packages in a layer's name, as `layer split` names those that share one; any other name is one. */
export function listPackages(layerName: string): readonly string[] {
  return splitPackages(layerName) ?? [layerName];
}

/** Whether a name says what it would be called in another version. */
export function isPackage(name: string): boolean {
  return !/^#|\s/.test(name) && nameKey(name, []) !== name;
}

/**
 * The kinds of an image whose databases have layers of their own, by the names of its layers: what a package is of that says it by
 * its version alone.
 */
export function findKinds(layerNames: readonly string[]): readonly string[] {
  const names = new Set(layerNames.flatMap(listPackages));
  return Object.keys(ownVersions).filter((kind) => names.has(`${kind}-database`));
}

/**
 * What a plan file calls a package: `<kind>:<name without version>`, or the name alone where its kind cannot be told. Two
 * versions of a package have one key.
 */
export function nameKey(name: string, kinds: readonly string[]): string {
  const special = specials.find(([pattern]) => pattern.test(name));
  if (special !== undefined) return `${special[1]}:${name}`;
  const stored = withoutStore(name);
  if (stored !== name) return `nix:${escapeKey(cutVersion(stored))}`;
  const { bare, suffix } = splitKind(name);
  const kind = suffix ?? guessKind(bare, kinds);
  const isOwn = kind !== undefined && ownVersions[kind]?.test(bare) === true;
  // Their names may end in numbers: libpcre2-8-0.
  const key = escapeKey(isOwn ? bare.replace(/-[^-]+-[^-]+$/, "") : nameStem(bare));
  return kind === undefined ? key : `${kind}:${key}`;
}

/** A name that two kinds have has the kind behind its version; before that stands an architecture. */
function splitKind(name: string): { readonly bare: string; readonly suffix?: string } {
  const colon = name.lastIndexOf(":");
  const [bare, suffix] = [name.slice(0, Math.max(colon, 0)), name.slice(colon + 1)];
  const isKind = /^[a-z][a-z0-9]*$/.test(suffix) && /-v?\d/.test(bare);
  return isKind ? { bare, suffix } : { bare: name };
}

/** As the helper has it of store paths. */
function cutVersion(name: string): string {
  const at = name.search(/-\d/);
  return at < 0 ? name : name.slice(0, at);
}

function guessKind(name: string, kinds: readonly string[]): string | undefined {
  if (name.startsWith("@")) return "npm";
  const fitting = kinds.filter((kind) => ownVersions[kind]?.test(name));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function escapeKey(key: string): string {
  return key.replaceAll(/[ \t\r\n]/g, "%20");
}

/** A key without its kind: what two keys of one package have in common, where one of them does not say it. */
export function withoutKind(key: string): string {
  return key.replace(/^[^:]*:/, "");
}
