import { execFileSync } from "node:child_process";
import { readFileSync, rmSync } from "node:fs";
import { join, resolve } from "node:path";
import { nameUnit, type Plan, type Planner, type Release, type Unit } from "../model.ts";
import { estimateStability, nameComponent } from "./chunkah.ts";
import { endOf, formComponents, isCompiled, isPackage, sumOf } from "./components.ts";
import { findFirstDates } from "./first-dates.ts";
import { makeRpmRoot, type Source } from "./rpm-root.ts";

const directory = resolve(".cache/bench/chunkah");
const layout = join(directory, "layout");

/**
 * chunkah itself, where it, `rpm` and `rpmbuild` are on PATH: over a root of files without content that has the sizes of
 * the table, and an RPM database with its changelogs. It confirms the row of the rule in chunkah.ts. What it takes is
 * mostly the making of that root, so it runs only where it is asked for by name, and for series of Debian's packages.
 */
export const chunkahProgram: Planner = {
  name: "chunkah, the program",
  about: "coreos/chunkah's own program over an RPM root of the same table",
  plan: ({ releases }, most) => {
    const release = releases.at(-1);
    if (release === undefined) return [];
    const foreign = release.units.find(
      (unit) => isPackage(unit) && !isCompiled(unit) && unit.kind !== "dpkg",
    );
    if (foreign !== undefined)
      throw new Error(`${nameUnit(foreign)} is no RPM to chunkah: name a series of Debian's`);
    const root = join(directory, "root");
    makeRpmRoot(root, join(directory, "packages"), {
      sources: listSources(release, findFirstDates(releases)),
      unowned: sumOf(release.units, (unit) => (isPackage(unit) ? 0 : unit.size)),
    });
    rmSync(layout, { recursive: true, force: true });
    const time = ["--source-date-epoch", String(endOf(release))];
    const place = ["--rootfs", root, "--output", `oci:${layout}`, "--prune", "/var"];
    execFileSync("chunkah", ["build", ...place, ...time, "--max-layers", String(most)], {
      stdio: "ignore",
    });
    return readPlan(release);
  },
};

/** A source's changelog is that of its package which is the least stable by it, as chunkah takes the least of all. */
function listSources(release: Release, first: (unit: Unit) => number): readonly Source[] {
  const rate = (unit: Unit): number =>
    estimateStability(
      unit.changes.map(({ time }) => time),
      first(unit),
      endOf(release),
    );
  return formComponents(release.units.filter(isPackage), nameComponent).map((component) => {
    const least = component.units.reduce((best, one) => (rate(one) < rate(best) ? one : best));
    return Object.assign({ changes: least.changes, built: first(least) }, component);
  });
}

/** An index, or a manifest. */
interface Document {
  readonly manifests?: readonly { readonly digest: string }[];
  readonly layers?: readonly { readonly annotations: Readonly<Record<string, string>> }[];
}

/** The layers of the layout that chunkah wrote: each names its components. */
function readPlan({ units }: Release): Plan {
  const components = new Map(
    formComponents(units, nameComponent).map((one) => [one.name, one.units]),
  );
  const [manifest] = readDocument("index.json").manifests ?? [];
  const { layers = [] } = readDocument(join("blobs", (manifest?.digest ?? "").replace(":", "/")));
  return layers.map(({ annotations }) => {
    const names = (annotations["org.chunkah.component"] ?? "").split(/[ ,]+/);
    return names.flatMap((name) => components.get(name) ?? []).map(nameUnit);
  });
}

function readDocument(file: string): Document {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an OCI layout, of which the plan is checked
  return JSON.parse(readFileSync(join(layout, file), "utf8")) as Document;
}
