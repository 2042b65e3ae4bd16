import { expect, test } from "vitest";
import { createPrevious, digestOf } from "../../../test/support/layers/fixtures.ts";
import { describeRelease, type Release } from "../../layers/layers.ts";
import type { Image } from "../../oci/oci.ts";
import { describePlan } from "./describe-plan.ts";
import { parsePlanFile, renderPlanFile } from "./plan-file.ts";

function makeImage(names: readonly string[]): Image {
  const layers = names.map((name) => {
    const digest = digestOf(Buffer.from(name));
    return { name, digest, diffId: digest };
  });
  return createPrevious(layers).image;
}

/** A twelfth of a year, in milliseconds. */
const month = 2_629_800_000;

function release(months: number | undefined, names: readonly string[]): Release {
  const described = describeRelease(makeImage(names), `app:${months}`);
  const created = months === undefined ? undefined : 1_500_000_000_000 + months * month;
  return { ...described, created };
}

const names = ["libc6-2.36-9 bash-5.2.15-2", "curl-7.88.1-10", "dpkg-database"];

test("what the build recorded counts, by the packages that a layer has", () => {
  const recorded = parsePlanFile(
    "# 1 bytes, 0.500 changes a month\ncurl\n# 9 bytes, 0.250 changes a month\ndpkg:libc6 dpkg:bash\n",
  );
  const { rows, source, file } = describePlan(makeImage(names), { recorded, releases: [] });
  expect(source).toBe("recorded");
  expect(rows.map(({ changesPerMonth }) => changesPerMonth)).toEqual([0.25, 0.5, undefined]);
  expect(rows[0]?.bytesPerMonth).toBe(Math.round((rows[0]?.size ?? 0) * 0.25));
  expect(file).toBe(recorded);
});

test("releases tell how often a layer's packages had another version; those without a date, and of other names, do not", () => {
  const releases = [
    release(undefined, ["libc6-1-1 bash-1-1", "curl-1-1"]),
    release(0, ["RUN apt-get update"]),
    release(0, ["libc6-2.36-8 bash-5.2.15-2", "curl-7.88.1-10", "dpkg-database"]),
    release(2, ["libc6-2.36-9", "bash-5.2.15-2", "curl-7.88.1-10", "dpkg-database"]),
    release(4, names),
  ];
  const { rows, source, file } = describePlan(makeImage(names), { recorded: undefined, releases });
  expect(source).toBe("history");
  expect(rows.map(({ changesPerMonth }) => changesPerMonth)).toEqual([0.25, 0, 0]);
  const text = renderPlanFile(file);
  expect(text).toContain("dpkg:libc6 dpkg:bash\n");
  expect(text).toContain("database:dpkg-database\n");
  expect(parsePlanFile(text).layers.map(({ keys }) => keys.length)).toEqual([2, 1, 1]);
});

test("nothing is known of an image without a past, and of one release", () => {
  const image = makeImage(["RUN make", "curl-7.88.1-10"]);
  for (const releases of [[], [release(1, names)]]) {
    const { rows, source, file } = describePlan(image, { recorded: undefined, releases });
    expect(source).toBe("none");
    expect(rows.every(({ changesPerMonth }) => changesPerMonth === undefined)).toBe(true);
    // A command of somebody's file is no package.
    expect(file.layers.map(({ keys }) => keys)).toEqual([["curl"]]);
  }
});
