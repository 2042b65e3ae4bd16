import type { Change } from "../model.ts";

/** An entry of a Debian changelog, with the version that it tells of. */
export interface Entry extends Change {
  readonly version: string;
}

const heading = /^[a-z0-9][a-z0-9+.-]* \(([^()\s]+)\) ([^;]*);/i;
const trailer = /^ -- .*> {1,2}(.*)$/;

/**
 * Reads a Debian changelog. The entries are as in the file, newest first; one without a date that can be read (old
 * packages have such) is left out.
 */
export function parseChangelog(text: string): readonly Entry[] {
  const entries: Entry[] = [];
  let open: { version: string; distribution: string; advisories: Set<string> } | undefined;
  for (const line of text.split("\n")) {
    const [, version, distribution] = heading.exec(line) ?? [];
    if (version !== undefined && distribution !== undefined) {
      open = { version, distribution: distribution.trim(), advisories: new Set() };
      continue;
    }
    const time = Date.parse(trailer.exec(line)?.[1] ?? "");
    if (open !== undefined && !Number.isNaN(time)) {
      const { advisories, ...rest } = open;
      entries.push({ ...rest, time: time / 1000, advisories: advisories.size });
      open = undefined;
    }
    for (const [name] of line.matchAll(/\bCVE-\d{4}-\d{4,}/g)) open?.advisories.add(name);
  }
  return entries;
}

/** The whole changelog of a package whose rebuilds (`+b1`) tell of themselves in a file of their own. */
export function joinChangelogs(
  rebuilds: readonly Entry[],
  own: readonly Entry[],
): readonly Entry[] {
  const known = new Set(own.map(({ version }) => version));
  return [...rebuilds.filter(({ version }) => !known.has(version)), ...own];
}

/** What a unit keeps of an entry. */
export function toChange({ time, distribution, advisories }: Entry): Change {
  return { time, distribution, advisories };
}

/** `2026-03-14`, of seconds since 1970. */
export function toDay(time: number): string {
  return new Date(time * 1000).toISOString().slice(0, 10);
}
