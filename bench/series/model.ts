/**
 * A release series: the packages of one image at each of its releases. What the planners see and what is measured of
 * their plans comes from here alone.
 */
export interface Series {
  /** A word for it, that stays: `debian-server`. */
  readonly name: string;
  readonly title: string;
  /** Where the packages came from and what was left out, in a sentence or two. */
  readonly about: string;
  /** Oldest first; the first is the image that everybody has. */
  readonly releases: readonly Release[];
}

export interface Release {
  /** The day on which what is new in it was published: `2026-03-14`. */
  readonly date: string;
  readonly units: readonly Unit[];
}

/** A package, or what no package owns (the package database, the application's own files). */
export interface Unit {
  /** `dpkg`, `npm`, `pip`; `database` and `other` for what is no package. */
  readonly kind: string;
  /** Its name without a version, the same in all releases. */
  readonly key: string;
  /** What it is in this release. Units whose versions are equal have the same bytes. */
  readonly version: string;
  /** The source package: those of one source change together. */
  readonly source: string;
  /** dpkg: whether it is essential or required (1), important (2), or neither (3); 3 for the rest. */
  readonly basic: 1 | 2 | 3;
  /** Bytes of its files, and of its own layer as a gzip of level 6. */
  readonly size: number;
  readonly packed: number;
  /** Names of the packages that it depends on (direct ones), as far as they are in the release. */
  readonly needs: readonly string[];
  /** Its popularity where the distribution counts one, else 0. */
  readonly popularity: number;
  /** The entries of its changelog up to this version, newest first; empty where it has none. */
  readonly changes: readonly Change[];
}

/** An entry of a changelog. */
export interface Change {
  /** Seconds since 1970. */
  readonly time: number;
  /** The distribution that it names: `unstable`, `bookworm-security`. */
  readonly distribution: string;
  /** How many CVE are named in it. */
  readonly advisories: number;
}

/** A plan: the layers of a release from the lowest to the topmost, each the keys (`kind key`) of its units. */
export type Plan = readonly (readonly string[])[];

/** Makes the plan of each release in turn; it knows the releases up to that one, and its own plans. */
export interface Planner {
  readonly name: string;
  /** Where its rule is written down, and how ours of it differs. */
  readonly about: string;
  readonly plan: (past: Past, most: number) => Plan | Promise<Plan>;
}

export interface Past {
  /** Up to and with the one that is planned, which is the last. */
  readonly releases: readonly Release[];
  /** Of the releases before. */
  readonly plans: readonly Plan[];
}

/** How units are called in plans. */
export function nameUnit({ kind, key }: Unit): string {
  return `${kind} ${key}`;
}
