/**
 * What a layer's name says without its version, as keys that the names of other versions have, too: the one that
 * tells most first. `debug-4.3.4` has `debug-4.3.4`, `debug-4.3`, `debug-4` and `debug`, so that of several versions the next
 * one is found. Words behind a version (`openssl-3.0.8-dev`) are in each key. A Nix store path counts without its hash.
 * None for a name that says no version.
 */
export function listNameKeys(name: string): readonly string[] {
  if (name.length > longestName) return [];
  const bare = withoutStore(name);
  const start = findVersion(bare);
  const keys = start === undefined ? [] : listCuts(bare, start);
  return bare === name ? keys : [`${bare}\n`, ...keys];
}

/** What stands before the version of a package's name: `gcc-12-base` of `gcc-12-base-12.2.0-14`. */
export function nameStem(name: string): string {
  const bare = withoutStore(name);
  const at = bare.lastIndexOf("@");
  if (at > 0) return bare.slice(0, at);
  const parts = bare.split("-");
  let count = parts.length;
  // Releases of apk begin with a letter.
  while (count > 1 && /^v?\d|^r\d+$/.test(parts[count - 1] ?? "")) count -= 1;
  return parts.slice(0, count).join("-");
}

/**
 * The packages that share a layer of this name, as `layer split` names those; undefined where it is no such name. Among them
 * may be files that nobody owns and what a map names, which have no version.
 */
export function splitPackages(name: string): readonly string[] | undefined {
  if (!name.includes(" ") || instruction.test(name)) return undefined;
  const parts = name.split(" ");
  const versioned = parts.filter(isPackage).length;
  return parts.every(isName) && versioned * 2 >= parts.length ? parts : undefined;
}

/** How lines of a Containerfile begin in histories. */
const instruction = /^(?:[A-Z]+ |\/bin\/sh -c |\|\d+ )/;

/** No quote, option or operator of a shell. */
function isName(part: string): boolean {
  return /^[\w/@.][^"'`$&|;<>=()]*$/.test(part);
}

/** Other names are lines of somebody's Containerfile. */
const longestName = 500;

const storePath = /^\/(?:nix|gnu)\/store\/[0-9a-z]{32}-/;

/** The name of a Nix store path without the store and the hash; any other as it is. */
export function withoutStore(name: string): string {
  return name.replace(storePath, "");
}

/** Names that `layer split` gives to what is no package. */
const restName = /^(?:other|python-cache|[a-z]+-database)$/;

function isPackage(part: string): boolean {
  return part !== "" && (restName.test(part) || nameStem(part) !== part);
}

/** Where the version begins: the sign before it. What stands behind the last `@`, or is a hash, is one, too. */
function findVersion(name: string): number | undefined {
  const at = name.lastIndexOf("@");
  const candidates = [
    name.search(/[-_:]v?\d/),
    at > 0 && !name.includes("/", at) ? at : -1,
    name.search(/[-:][0-9a-f]{7,64}(?![0-9a-z])/),
  ].filter((one) => one > 0);
  return candidates.length === 0 ? undefined : Math.min(...candidates);
}

/** More parts than any version has. */
const mostCuts = 32;

/** The name up to each sign in its version, with the words that stand behind. */
function listCuts(name: string, start: number): readonly string[] {
  const cuts: number[] = [];
  for (let at = name.length - 1; at >= start && cuts.length < mostCuts; at -= 1)
    if (!/[0-9A-Za-z]/.test(name[at] ?? "")) cuts.push(at);
  if (cuts.at(-1) !== start) cuts.push(start);
  return cuts.map((at) => `${name.slice(0, at)}\n${listWords(name, at)}`);
}

/** `dev` of `3.0.8-dev`; of what stands behind an `@` (`latest`) none. */
function listWords(name: string, at: number): string {
  if (name[at] === "@") return "";
  return name
    .slice(at + 1)
    .split(/[-:_/ ]/)
    .filter((part) => part !== "" && !/\d|^[a-f]{7,64}$/.test(part))
    .join("/");
}
