import { writeFileSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { withTemporaryDirectory } from "../../test/support/images.ts";
import { listNames, splitTyped } from "./list-names.ts";
import { encodePath } from "./names.ts";

test.each([
  ["few", 3],
  // So many that their directory has more than 256 KiB on every file system.
  ["many", 14_000],
])("%s names come sorted, with what they are, also where one is no UTF-8", (_what, count) =>
  withTemporaryDirectory(async (root) => {
    const long = "x".repeat(30);
    const files = Array.from({ length: count }, (_, at) => `${(at * 7919) % count}-${long}`);
    for (const name of files) writeFileSync(join(root, name), "");
    await mkdir(join(root, "directory"));
    await symlink("nowhere", join(root, "link"));
    const expected = [
      ...files.map((name) => [name, "other"]),
      ["directory", "directory"],
      ["link", "link"],
    ].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
    expect(Array.from(listNames(root, ""), splitTyped)).toEqual(expected);
    await writeFile(encodePath(`${root}/~\uDCE9`), "");
    expect(Array.from(listNames(root, ""), splitTyped)).toEqual([
      ...expected,
      ["~\uDCE9", "other"],
    ]);
  }),
);
