import type { Change } from "../model.ts";
import { mapSome, remember } from "./cache.ts";
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

/** Asks for packages by name, each once a day of collection. */
export async function describePackages(
  names: readonly string[],
  day: string,
): Promise<ReadonlyMap<string, Known>> {
  const known = await mapSome(names, 3, async (name): Promise<[string, Known]> => {
    const ask = async (): Promise<Known> =>
      readKnown(await runProgram(["npm", "view", name, "time", "repository", "--json"]));
    return [name, await remember(`npm/packages-${day}/${encodeURIComponent(name)}`, ask)];
  });
  return new Map(known);
}

/** Reads what `npm view NAME time repository --json` writes. */
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
  const atOnce = 30;
  const batches = Array.from({ length: Math.ceil(versions.length / atOnce) }, (_, at) =>
    versions.slice(at * atOnce, (at + 1) * atOnce),
  );
  const measured = await mapSome(batches, 2, measureBatch);
  return new Map(measured.flat());
}

async function measureBatch(
  versions: readonly string[],
): Promise<readonly (readonly [string, Sizes])[]> {
  type Packed = { id: string; size: number; unpackedSize: number };
  let asked: Promise<readonly Packed[]> | undefined;
  const askAll = async (): Promise<readonly Packed[]> => {
    const answer = await runProgram(["npm", "pack", "--dry-run", "--json", ...versions]);
    const all: readonly Packed[] = JSON.parse(answer);
    return all;
  };
  return await mapSome(versions, 1, async (version) => {
    const sizes = await remember(`npm/sizes/${encodeURIComponent(version)}`, async () => {
      asked ??= askAll();
      const found = (await asked).find(({ id }) => id === version);
      if (found === undefined) throw new Error(`npm pack did not tell of ${version}`);
      return { size: found.unpackedSize, packed: found.size };
    });
    return [version, sizes] as const;
  });
}

/** What had been published of a package when that version was, as a changelog: versions that are no newer than it. */
export function listChanges({ times }: Known, version: string): readonly Change[] {
  const until = times[version] ?? 0;
  const isLike = isStable(version) ? isStable : () => true;
  return Object.entries(times)
    .filter(
      ([one, time]) =>
        one === version || (time <= until && isLike(one) && compareSemver(one, version) < 0),
    )
    .toSorted(([, one], [, two]) => two - one)
    .map(([, time]) => ({ time, distribution: "latest", advisories: 0 }));
}
