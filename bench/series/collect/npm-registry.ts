import type { Change } from "../model.ts";
import { mapSome, recall, remember } from "./cache.ts";
import { runProgram } from "./run.ts";
import { compareSemver, isStable } from "./semver.ts";

/** What the registry tells of a package. */
export interface Known {
  /** When each version was published, in seconds since 1970. */
  readonly times: Readonly<Record<string, number>>;
  /** Where its source is, as far as it tells: packages of one repository are released together. */
  readonly repository?: string;
}

/** Bytes of a version's files, and of its archive. */
export interface Sizes {
  readonly size: number;
  readonly packed: number;
}

/** Calls of npm side by side: each spends most of its time waiting for the registry. */
const atOnce = 8;
/** Versions a call, of which npm fetches one after the other. */
const batch = 15;

/** Asks for packages by name, each once a day of collection. */
export async function describePackages(
  names: readonly string[],
  day: string,
): Promise<ReadonlyMap<string, Known>> {
  const known = await mapSome(names, atOnce, async (name): Promise<[string, Known]> => {
    // By the name, too: npm writes a single field that it finds without its name.
    const fields = ["name", "time", "repository"];
    const ask = async (): Promise<Known> =>
      readKnown(await runProgram(["npm", "view", name, ...fields, "--json"]));
    return [name, await remember(`npm/packages-${day}/${encodeURIComponent(name)}`, ask)];
  });
  return new Map(known);
}

/** Reads what `npm view NAME name time repository --json` writes. */
export function readKnown(text: string): Known {
  type Answer = { time: Record<string, string>; repository?: { url?: string } | string };
  const { time, repository }: Answer = JSON.parse(text);
  const dated = Object.entries(time).filter(([version]) => /^\d/.test(version));
  const url = typeof repository === "string" ? repository : repository?.url;
  // Without the protocol, of which there are many for one repository.
  const place = url
    ?.replace(/^.*?(?=[\w.-]+\.[a-z]+[:/])/, "")
    .replace(/\.git$/, "")
    .replace(":", "/");
  const times = dated.map(([version, at]) => [version, Math.floor(Date.parse(at) / 1000)]);
  return { times: Object.fromEntries(times), ...(place !== undefined && { repository: place }) };
}

/** The sizes of versions (`name@1.2.3`). */
export async function measureVersions(
  versions: readonly string[],
): Promise<ReadonlyMap<string, Sizes>> {
  const sizes = new Map<string, Sizes>();
  for (const version of versions) {
    const known = await recall<Sizes>(nameSizes(version));
    if (known !== undefined) sizes.set(version, known);
  }
  const missing = versions.filter((version) => !sizes.has(version));
  const batches = Array.from({ length: Math.ceil(missing.length / batch) }, (_, at) =>
    missing.slice(at * batch, (at + 1) * batch),
  );
  const measured = await mapSome(batches, atOnce, measureBatch);
  return new Map([...sizes, ...measured.flat()]);
}

async function measureBatch(
  versions: readonly string[],
): Promise<readonly (readonly [string, Sizes])[]> {
  const text = await runProgram(["npm", "pack", "--dry-run", "--json", ...versions]);
  const answer: readonly { id: string; size: number; unpackedSize: number }[] = JSON.parse(text);
  return await mapSome(versions, 1, async (version) => {
    const found = answer.find(({ id }) => id === version);
    if (found === undefined) throw new Error(`npm pack did not tell of ${version}`);
    const sizes = { size: found.unpackedSize, packed: found.size };
    return [version, await remember(nameSizes(version), () => Promise.resolve(sizes))] as const;
  });
}

function nameSizes(version: string): string {
  return `npm/sizes/${encodeURIComponent(version)}`;
}

/**
 * What had been published of a package since that day when that version was, as a changelog, newest first: versions that
 * are no newer than it. One that came after a newer one of its major version is left out: an old one that a registry has
 * taken late.
 */
export function listChanges({ times }: Known, version: string, since: string): readonly Change[] {
  const until = times[version] ?? 0;
  const isLike = isStable(version) ? isStable : () => true;
  const newest = new Map<string, string>();
  return Object.entries(times)
    .toSorted(([, one], [, two]) => one - two)
    .filter(([one]) => {
      const major = one.replace(/\..*/, "");
      const known = newest.get(major);
      if (!isLike(one) || (known !== undefined && compareSemver(one, known) < 0)) return false;
      newest.set(major, one);
      return true;
    })
    .filter(([one, time]) => time <= until && compareSemver(one, version) <= 0)
    .filter(([, time]) => time >= Date.parse(since) / 1000)
    .map(([, time]) => ({ time, distribution: "latest", advisories: 0 }))
    .toReversed();
}
