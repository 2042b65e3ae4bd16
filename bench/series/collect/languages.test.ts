import { expect, test } from "vitest";
import { readLock, readMissing, type Installed } from "./npm-lock.ts";
import { listChanges, readKnown } from "./npm-registry.ts";
import { joinCopies, joinVersions } from "./npm.ts";
import { listUploads, listUploadsUntil } from "./pypi.ts";
import { readLocked } from "./uv.ts";

const lock = JSON.stringify({
  packages: {
    "": { name: "app", version: "1.0.0" },
    "node_modules/a": {
      version: "1.0.0",
      dependencies: { b: "^1.0.0" },
      optionalDependencies: { c: "1" },
    },
    "node_modules/@s/b": { version: "2.0.0", os: ["!win32"] },
    "node_modules/a/node_modules/@s/b": { version: "1.5.0" },
    "node_modules/alias": { version: "3.0.0", name: "real" },
    "node_modules/mac": { version: "1.0.0", os: ["darwin"] },
    "node_modules/mac/node_modules/a": { version: "1.0.0" },
    "node_modules/mac-too": { version: "1.0.0" },
    "node_modules/arm": { version: "1.0.0", os: ["linux"], cpu: ["arm64"] },
    "node_modules/musl": { version: "1.0.0", os: ["linux"], cpu: ["x64"], libc: ["musl"] },
    "node_modules/ours": { version: "1.0.0", os: ["linux"], cpu: ["x64"], libc: ["glibc"] },
    "node_modules/not-ours": { version: "1.0.0", os: ["!linux"] },
  },
});

test("reads what npm would install here, wherever it stands", () => {
  expect(readLock(lock)).toEqual([
    { name: "a", version: "1.0.0", within: [], needs: ["b", "c"] },
    { name: "@s/b", version: "2.0.0", within: [], needs: [] },
    { name: "@s/b", version: "1.5.0", within: ["a"], needs: [] },
    { name: "real", version: "3.0.0", within: [], needs: [] },
    { name: "mac-too", version: "1.0.0", within: [], needs: [] },
    { name: "ours", version: "1.0.0", within: [], needs: [] },
  ]);
});

test("reads what npm misses of a day, and what may stand in for it", () => {
  const message =
    "npm error notarget No matching version found for @n/env@^16.1.6 with a date before 2/16/2026.";
  expect(readMissing(message)).toEqual(["@n/env", "<=16.1.6"]);
  expect(readMissing("npm error code ENOTFOUND")).toBeUndefined();
});

const known = readKnown(
  JSON.stringify({
    time: {
      created: "2020-01-01T00:00:00Z",
      "1.0.0": "2020-01-01T00:00:00Z",
      "2.0.0-rc.1": "2020-01-02T00:00:00Z",
      "2.0.0": "2020-01-03T00:00:00Z",
      "1.0.1": "2020-01-04T00:00:00Z",
      "2.1.0": "2020-01-05T00:00:00Z",
      "2.0.1": "2020-01-06T00:00:00Z",
      "2.2.0": "2020-01-07T00:00:00Z",
    },
    repository: { type: "git", url: "git+ssh://git@example.org:team/things.git" },
  }),
);
const day = (number: number): number => Date.UTC(2020, 0, number) / 1000;

function timesOf(version: string): readonly number[] {
  return listChanges(known, version, "2020-01-01").map(({ time }) => time);
}

test("what had been published is a changelog, of what is for all to use and no newer", () => {
  expect(timesOf("2.1.0")).toEqual([5, 4, 3, 1].map(day));
  expect(timesOf("2.2.0")).toEqual([7, 5, 4, 3, 1].map(day));
  expect(timesOf("2.0.0")).toEqual([3, 1].map(day));
  expect(timesOf("1.0.1")).toEqual([4, 1].map(day));
  expect(timesOf("2.0.0-rc.1")).toEqual([2, 1].map(day));
  expect(listChanges(known, "2.1.0", "2020-01-04").map(({ time }) => time)).toEqual(
    [5, 4].map(day),
  );
});

function copy(version: string, ...within: readonly string[]): Installed {
  return { name: "a", version, within, needs: [] };
}

test("copies of a package are one unit, whose version tells where they are", () => {
  const copies = [copy("2.0.0"), copy("1.0.0", "@s/b"), copy("1.0.0", "c", "d")];
  expect(joinVersions(copies)).toBe("1.0.0:@s/b 1.0.0:c:d 2.0.0");
  expect(joinVersions([copy("2.0.0")])).toBe("2.0.0");
  const sizes = new Map([
    ["a@1.0.0", { size: 10, packed: 4 }],
    ["a@2.0.0", { size: 100, packed: 40 }],
  ]);
  const unit = joinCopies(
    { name: "a", copies, needs: [] },
    { known: new Map([["a", known]]), sizes, since: "2020-01-01" },
  );
  expect(unit).toMatchObject({ source: "example.org/team/things", size: 120, packed: 48 });
  expect(unit.changes).toHaveLength(2);
});

test("a package without a repository is its own source", () => {
  const sizes = new Map([["a@1.0.0", { size: 10, packed: 4 }]]);
  const copies = [copy("1.0.0")];
  expect(
    joinCopies({ name: "a", copies, needs: [] }, { known: new Map(), sizes, since: "2020-01-01" })
      .source,
  ).toBe("a");
});

function read(repository: unknown): string | undefined {
  return readKnown(JSON.stringify({ time: {}, repository })).repository;
}

test("a repository is the same by whatever protocol it is named", () => {
  expect(read({ url: "git+https://example.org/a/b.git" })).toBe("example.org/a/b");
  expect(read({ url: "git://example.org/a/b.git" })).toBe("example.org/a/b");
  expect(read("https://example.org/a/b")).toBe("example.org/a/b");
  expect(read(undefined)).toBeUndefined();
});

test("reads what uv has chosen, and what needs what", () => {
  const text = `a==1.0                    # via -r requirements.in
b-c==2.0.post1            # via a, d
d==3.0                    # via -r requirements.in
`;
  expect(readLocked(text)).toEqual([
    { name: "a", version: "1.0", needs: ["b-c"] },
    { name: "b-c", version: "2.0.post1", needs: [] },
    { name: "d", version: "3.0", needs: ["b-c"] },
  ]);
});

test("uploads to the index are a changelog, each version from its first file", () => {
  const file = (filename: string, number: number): { filename: string; "upload-time": string } => ({
    filename,
    "upload-time": new Date(day(number) * 1000).toISOString(),
  });
  const uploads = listUploads([
    file("a_b-1.0-py3-none-any.whl", 2),
    file("a-b-1.0.tar.gz", 1),
    file("a_b-1.1rc1-1-cp311-cp311-manylinux_2_17_x86_64.whl", 3),
    file("a_b-1.1.tar.gz", 4),
    { filename: "a_b-1.2.tar.gz" },
    file("a_b-1.0.1.zip", 5),
    file("a_b-1.3.exe", 6),
  ]);
  expect(uploads).toEqual({ "1.0": day(1), "1.1rc1": day(3), "1.1": day(4), "1.0.1": day(5) });
  const times = (version: string): readonly number[] =>
    listUploadsUntil(uploads, version).map(({ time }) => time);
  expect(times("1.1")).toEqual([4, 1].map(day));
  expect(times("1.0.1")).toEqual([5, 1].map(day));
  expect(times("1.1rc1")).toEqual([3, 1].map(day));
});
