import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createInside, makeContainer, runInside } from "./container.ts";
import { put } from "./lab.ts";
import { compareTrees, flatten, readTree } from "./oracle.ts";
import { execute } from "./roots.ts";

const commands: readonly (readonly [string, readonly string[]])[] = [
  ["split dpkg", ["split", "dpkg", "/"]],
  ["split auto", ["split", "auto", "/"]],
];

describe("the container's own root", () => {
  it.each(commands)("%s leaves out what is mounted", (_what, args) => {
    const root = makeContainer();
    const lab = createInside();
    const result = runInside(root, lab, true, ["/layers/bin/layer", ...args]);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const image = readTree(flatten(lab));
    const unseen = ["layers", "etc/hosts", "etc/hostname", "data/below"];
    const expected = new Map(readTree(root, unseen));
    const differences = compareTrees(expected, image);
    // A mount point is as the mount shows it.
    expect(differences).toEqual([expect.stringMatching(/^tmp: 40755 0:0 is 41777 0:0/)]);
    for (const point of ["proc", "dev", "data", "run/a b "])
      expect(image.get(point)).toBe("40755 0:0");
    for (const entry of lab.entries().slice(0, -1))
      expect(lab.paths(entry.created_by)).not.toContain("data");
  });

  it.each(commands)("%s needs no /proc", (_what, args) => {
    const root = makeContainer();
    put(root, "dev/null", "no device");
    const lab = createInside();
    const result = runInside(root, lab, false, ["/layers/bin/layer", ...args]);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const unseen = ["layers", "etc/hosts", "etc/hostname", "etc/resolv.conf", "dev/null"];
    expect(compareTrees(readTree(root, unseen), readTree(flatten(lab)))).toEqual([]);
  });

  it("is added as a whole by add", () => {
    const root = makeContainer();
    const odd = ["srv/line\nbreak"];
    const lab = createInside();
    const refused = runInside(root, lab, true, ["/layers/bin/layer", "add", "all", "/"]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/line break/);
    execute("sh", ["-c", 'rm -r "$1"', "sh", join(root, odd[0] ?? "")]);
    execute("rmdir", [join(root, "run/a b ")]);
    const result = runInside(root, lab, true, ["/layers/bin/layer", "add", "all", "/"]);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    const image = readTree(flatten(lab));
    const expected = readTree(root, ["layers", "etc/hosts", "etc/hostname", "data/below", "tmp"]);
    expect(compareTrees(expected, new Map([...image].filter(([path]) => path !== "tmp")))).toEqual(
      [],
    );
    expect(image.get("tmp")).toBe("41777 0:0");
  });

  it("may be another than the container's, which is split in full", () => {
    const root = makeContainer();
    const other = makeContainer();
    put(other, "proc/file");
    execute("cp", ["-a", `${other}/.`, join(root, "data")]);
    writeFileSync(join(root, "data/etc/hosts"), "of the image");
    const lab = createInside();
    const result = runInside(root, lab, false, ["/layers/bin/layer", "split", "dpkg", "/data"]);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(compareTrees(readTree(join(root, "data")), readTree(flatten(lab)))).toEqual([]);
  });
});
