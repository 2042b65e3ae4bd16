import type { Release } from "../model.ts";
import { toDay, type Entry } from "./changelog.ts";
import type { Built, Distribution } from "./debian.ts";
import { makeRelease } from "./units.ts";
import { compareVersions } from "./versions.ts";

const daySeconds = 86_400;

/** Seconds since 1970 at which its maintainer finished a version; 0 where no changelog tells. */
function timeOf(one: Built | undefined): number {
  return one?.entries[0]?.time ?? 0;
}

/** The oldest of everything that can be had, then a release for each day on which something newer was finished. */
export function listReleases(distribution: Distribution): readonly Release[] {
  const all = [...distribution.packages.values()];
  const days = all.flatMap((versions) => versions.slice(1).map((one) => toDay(timeOf(one))));
  const steps = [...new Set(days)].toSorted();
  const oldest = Math.max(...all.map(([first]) => timeOf(first)));
  const before = steps.map((day) => Date.parse(day) / 1000 - daySeconds).slice(0, 1);
  return [toDay(Math.min(oldest, ...before)), ...steps].map((date) =>
    makeRelease(
      distribution,
      date,
      (versions) => versions.findLast((one) => toDay(timeOf(one)) <= date) ?? versions[0],
    ),
  );
}

/** The newest of everything, on the day on which the last of it was finished, or `after` if that is later. */
export function makeNewest(distribution: Distribution, after = ""): Release {
  const newest = [...distribution.packages.values()].map((versions) => timeOf(versions.at(-1)));
  const date = [toDay(Math.max(...newest)), after].toSorted().at(-1) ?? after;
  return makeRelease(distribution, date, (versions) => versions.at(-1));
}

/**
 * A release for each week since that day in which something was uploaded to the distribution, as the changelogs tell:
 * also of versions that nobody has any more. These have the size of the next one that can be had.
 */
export function listHistory(distribution: Distribution, since: string): readonly Release[] {
  const { codename, packages } = distribution;
  const histories = new Map(
    [...packages].map(([name, versions]) => [name, listUploads(versions, { codename, since })]),
  );
  const days = [...histories.values()].flatMap((all) => all.map(({ time }) => toDay(time)));
  const later = [...new Set(days)].filter((day) => day > since).toSorted();
  // The last of each week: what comes later overwrites.
  const weeks = new Map(later.map((day) => [weekOf(day), day]));
  return [since, ...weeks.values()].map((date) =>
    makeRelease(distribution, date, (versions) => {
      const uploads = histories.get(versions[0]?.name ?? "") ?? [];
      const upload = uploads.find(({ time }) => toDay(time) <= date) ?? uploads.at(-1);
      return upload === undefined ? versions[0] : rebuild(versions, upload);
    }),
  );
}

/** Weeks begin on Mondays, as 1970-01-05 was one. */
function weekOf(day: string): number {
  return Math.floor((Date.parse(day) / 1000 / daySeconds - 4) / 7);
}

/** The entries of which people had the version: what was there on the day, and what came to the distribution later. */
function listUploads(
  versions: readonly Built[],
  { codename, since }: { codename: string; since: string },
): readonly Entry[] {
  const entries = versions.at(-1)?.entries ?? [];
  const served = new Set(versions.map((one) => one.entries[0]?.version));
  const first = entries.find(({ time }) => toDay(time) <= since);
  return entries.filter(
    (entry) =>
      entry === first ||
      (toDay(entry.time) > since &&
        (entry.distribution.includes(codename) || served.has(entry.version))),
  );
}

/** A version of which only its changelog is left, as what comes next to it. */
function rebuild(versions: readonly Built[], upload: Entry): Built | undefined {
  const next = versions.find(
    (one) => compareVersions(one.entries[0]?.version ?? one.version, upload.version) >= 0,
  );
  const built = next ?? versions.at(-1);
  const entries = versions.at(-1)?.entries ?? [];
  return (
    built && { ...built, version: upload.version, entries: entries.slice(entries.indexOf(upload)) }
  );
}
