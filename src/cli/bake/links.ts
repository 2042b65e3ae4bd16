import { localName, parseImageName } from "../../oci/oci.ts";
import { readLink } from "./resolve.ts";

/** The words that build a target. */
export interface BakeBuild {
  readonly name: string;
  readonly words: readonly string[];
  /** The text of `dockerfile-inline`, for which `--file=-` stands. */
  readonly inline: string | undefined;
}

/** How targets that others are made from are found by these. */
export interface Linking {
  readonly cwd: string;
  /** Whether they are loaded into the engine's storage; else the store's names are enough. */
  readonly loads: boolean;
}

/**
 * The same builds, one after another: what another target is made from has a name in the engine's storage, and is
 * taken from there. An image without a name gets one that is the target's in this directory.
 */
export function linkBuilds(
  builds: readonly BakeBuild[],
  { cwd, loads }: Linking,
): readonly BakeBuild[] {
  const linked = new Set(
    builds.flatMap(({ words }) => words.flatMap((word) => splitLink(word)?.[1] ?? [])),
  );
  const names = new Map(
    builds
      .filter(({ name }) => linked.has(name))
      .map(({ name, words }) => [name, readName(words) ?? createName(name, cwd)] as const),
  );
  return builds.map((build) => ({ ...build, words: linkWords(build, { names, loads }) }));
}

function linkWords(
  { name, words }: BakeBuild,
  { names, loads }: { readonly names: ReadonlyMap<string, string> } & Pick<Linking, "loads">,
): readonly string[] {
  const isLinked = words.some(isLink);
  const replaced = words.map((word) => {
    const [context, target] = splitLink(word) ?? [];
    const image = target === undefined ? undefined : names.get(target);
    if (image !== undefined) return `--build-context=${context}=docker-image://${image}`;
    // What has just been built is in no registry: `always` would fail for it.
    return isLinked && word === "--pull=always" ? "--pull=newer" : word;
  });
  const own = names.get(name);
  if (own === undefined) return replaced;
  const tag = readName(words) === undefined ? [`--tag=${own}`] : [];
  return [...(loads ? ["--load"] : []), ...tag, ...replaced];
}

/** Whether a word of a build says that a context is another target. */
export function isLink(word: string): boolean {
  return splitLink(word) !== undefined;
}

/** The name of a context and the target that it is. */
function splitLink(word: string): readonly [string, string] | undefined {
  const [flag, context, value, ...rest] = word.split("=");
  if (flag !== "--build-context" || context === undefined || value === undefined) return undefined;
  const target = readLink([value, ...rest].join("="));
  return target === undefined ? undefined : [context, target];
}

function readName(words: readonly string[]): string | undefined {
  const tag = words.find((word) => word.startsWith("--tag="))?.slice("--tag=".length);
  return tag === undefined ? undefined : parseImageName(tag).full;
}

function createName(target: string, cwd: string): string {
  return localName("xbuild-bake", `${cwd}\0${target}`);
}
