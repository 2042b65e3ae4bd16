import { expect, test } from "vitest";
import { comparePep440, isFinal } from "./pep440.ts";
import { compareSemver, isStable } from "./semver.ts";
import { compareVersions } from "./versions.ts";
import { listWeeks } from "./weeks.ts";

/** Each list is from the oldest to the newest. */
const orders = {
  debian: {
    compare: compareVersions,
    lists: [
      [
        "1.0~rc1-1",
        "1.0-1~deb12u1",
        "1.0-1",
        "1.0-1+b1",
        "1.0-1+deb12u1",
        "1.0-1+deb12u10",
        "1.0-2",
      ],
      ["5.36.0-7+deb12u2", "5.36.0-7+deb12u3", "5.36.0-10", "5.40", "1:0.1"],
      ["1.0", "1.0a", "1.0a1", "1.0+x", "1.0.0", "1.1", "01.2", "1.10"],
      ["2-a-1", "2-a-1.1", "2-b-1"],
    ],
  },
  npm: {
    compare: compareSemver,
    lists: [
      ["1.0.0-1", "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0"],
      ["1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0-rc.1", "2.0.0+build"],
    ],
  },
  pip: {
    compare: comparePep440,
    lists: [
      ["1.0.dev1", "1.0a1", "1.0b2", "1.0rc1", "1.0", "1.0.post1", "1.0.1", "1.10", "1!0.1"],
      ["0.50b0", "0.51b0", "2025.1", "2026.10.19", "2026.10.19.post1"],
    ],
  },
};

for (const [name, { compare, lists }] of Object.entries(orders)) {
  test(`orders the versions of ${name}`, () => {
    for (const list of lists) {
      for (const [at, one] of list.entries()) {
        for (const [other, two] of list.entries()) {
          expect(Math.sign(compare(one, two)), `${one} ${two}`).toBe(Math.sign(at - other));
        }
      }
    }
  });
}

test("versions that are written otherwise are equal", () => {
  expect(compareVersions("0:1.0-1", "1.0-1")).toBe(0);
  expect(compareVersions("1.01", "1.1")).toBe(0);
  expect(comparePep440("1.0", "1.0.0")).toBe(0);
});

test("tells what is for all to use", () => {
  const npm = ["1.2.3", "1.2.3+x", "1.2.3-rc.1", "created"].map(isStable);
  expect(npm).toEqual([true, true, false, false]);
  const pip = ["1.2", "1!2.3.post1", "1.2rc1", "1.2.dev3", "0.50b0"].map(isFinal);
  expect(pip).toEqual([true, true, false, false, false]);
});

test("weeks end on the day that is given", () => {
  expect(listWeeks("2026-03-05", 3)).toEqual(["2026-02-19", "2026-02-26", "2026-03-05"]);
  expect(() => listWeeks("soon", 3)).toThrow("soon is no day: write it as 2026-03-14");
});
