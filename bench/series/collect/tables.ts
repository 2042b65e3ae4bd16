import type { Release, Series } from "../model.ts";
import { collectDistribution } from "./debian.ts";
import { dependencies, requirements } from "./applications.ts";
import { collectNpm } from "./npm.ts";
import { collectPython } from "./python.ts";
import { listHistory, listReleases, makeNewest } from "./releases.ts";
import { listWeeks } from "./weeks.ts";

/** A series that can be collected. */
export interface Table extends Omit<Series, "releases"> {
  /** `day` is the last that is asked for, where a registry can be asked for any. */
  readonly collect: (day: string) => Promise<readonly Release[]>;
}

const server = ["nginx", "curl", "python3-minimal", "postgresql-client"];
const science = (
  "nginx r-base python3-scipy python3-matplotlib python3-pandas python3-sklearn jupyter-notebook " +
  "build-essential openjdk-17-jre postgresql imagemagick git gdal-bin ffmpeg"
).split(" ");

/** Of the applications. */
const weeks = 52;

/** The day of Debian 12. */
const released = "2023-06-10";

const had =
  "Sizes are of the packages' files and of the files that dpkg has of each alone. The database, the compiled Python files and what no " +
  "package owns are as large as in a system of the newest packages. No popularity: the registry serves none.";
const steps =
  "From Debian's registry (main, updates, security) all versions that it has, dated by the newest entry of their changelogs; before the " +
  `oldest of a package that it has is that one. ${had}`;

export const tables: readonly Table[] = [
  {
    name: "debian-server",
    title: "Debian 12, a server",
    about: `A minimal system with ${server.join(", ")}. ${steps}`,
    collect: async () => listReleases(await collectDistribution("bookworm", server)),
  },
  {
    name: "debian-large",
    title: "Debian 12, science and development",
    about: `A minimal system with ${science.join(", ")}. ${steps}`,
    collect: async () => listReleases(await collectDistribution("bookworm", science)),
  },
  {
    name: "debian-leap",
    title: "Debian 12 to Debian 13, a server",
    about: `A minimal system with ${server.join(", ")}: the newest packages of each release, dated by the newest changelog. ${had}`,
    collect: async () => {
      const before = makeNewest(await collectDistribution("bookworm", server));
      const after = makeNewest(await collectDistribution("trixie", server), before.date);
      return [before, after];
    },
  },
  {
    name: "debian-history",
    title: "Debian 12, a server, each week since its release",
    about:
      `A minimal system with ${server.join(", ")}, and what the changelogs of its newest packages tell of uploads to the release: ` +
      "dates and versions are theirs, merged by week. What no registry has any more is taken to be as large, and to depend on the same, as " +
      `the next version that it has. What came in a point release stands on the day of its own upload. ${had}`,
    collect: async () => listHistory(await collectDistribution("bookworm", server), released),
  },
  {
    name: "npm",
    title: "A Node.js application, each week of a year",
    about:
      "What npm would have installed each week for an application with ranges of versions that take what is compatible, on Linux with " +
      "glibc and x86-64. Sizes are of the packages' files and of their archives in the registry, all copies of a package being one unit. " +
      "Changelogs are the stable versions since ten months before the first state, by the registry's times. Where the registry dates a version later than what needs it, the " +
      "newest older one stands in. The application's own files are taken to be 200 kB, new each week.",
    collect: (day) => collectNpm(dependencies, listWeeks(day, weeks)),
  },
  {
    name: "python",
    title: "A Python application, each week of a year",
    about:
      "What uv would have installed each week for an application with ranges of versions that take what is compatible: wheels for Python " +
      "3.11 on Linux with glibc and x86-64, measured once installed. Changelogs are the final versions up to the one that is there, by the " +
      "index's times; a project is its own source. The application's own files are taken to be 200 kB, new each week.",
    collect: (day) => collectPython(requirements, listWeeks(day, weeks)),
  },
];
