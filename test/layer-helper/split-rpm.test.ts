import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createLab, listShells, makeScratch, put } from "./lab.ts";
import { readLayers } from "./oracle.ts";
import { execute, makeMergedRoot } from "./roots.ts";

/** One source with two packages, each of one file of so many bytes. */
function writeSpec(name: string, sizes: readonly [number, number]): string {
  return `Name: ${name}
Version: 1.0
Release: 2
Summary: tool
License: none
%description
tool
%package more
Summary: more
%description more
more
%install
mkdir -p %{buildroot}/usr/share/${name} %{buildroot}/usr/share/${name}-more
head -c ${sizes[0]} /dev/zero >%{buildroot}/usr/share/${name}/file
head -c ${sizes[1]} /dev/zero >%{buildroot}/usr/share/${name}-more/file
%files
/usr/share/${name}
%files more
/usr/share/${name}-more
`;
}

/** Packages are installed in a root as rpm does. */
function installRpm(root: string, specs: readonly string[]) {
  const top = makeScratch();
  for (const [index, text] of specs.entries()) {
    const spec = `${String(index)}.spec`;
    put(top, spec, text);
    execute("rpmbuild", ["--define", `_topdir ${top}`, "-bb", join(top, spec)]);
  }
  const found = execute("find", [join(top, "RPMS"), "-name", "*.rpm"])
    .trim()
    .split("\n");
  const flags = ["--root", root, "--dbpath", "/var/lib/rpm", "--nodeps", "--noscripts"];
  execute("rpm", [...flags, "-i", ...found]);
}

/** Takes SOURCERPM (tag 1044) out of headers, by another number; digests of the header are made to match. */
const dropSources = `
import re, sqlite3, struct, subprocess, sys
root, pattern = sys.argv[1:]
def query(*words):
    return subprocess.run(["rpm", "--root", root, "--dbpath", "/var/lib/rpm", "-qa", *words], capture_output=True, text=True)
def edit(change):
    database = sqlite3.connect(root + "/var/lib/rpm/rpmdb.sqlite")
    for number, blob in database.execute("select hnum, blob from Packages").fetchall():
        database.execute("update Packages set blob=? where hnum=?", (change(blob), number))
    database.commit()
    database.close()
def drop(blob):
    if pattern.encode() not in blob: return blob
    changed = bytearray(blob)
    for at in range(8, 8 + 16 * struct.unpack(">I", blob[:4])[0], 16):
        if struct.unpack_from(">i", blob, at)[0] == 1044: struct.pack_into(">i", changed, at, 1056)
    return bytes(changed)
edit(drop)
said = re.findall(r"Expected (\\w+) != (\\w+)", query().stderr)
def mend(blob):
    for old, new in said: blob = blob.replace(old.encode(), new.encode())
    return blob
edit(mend)
print(query("--queryformat", "%{NAME} %{SOURCERPM}\\n").stdout)
`;

const hasRpm = spawnSync("rpmbuild", ["--version"]).status === 0;

// The rpm of busybox is another program.
const shells = listShells().filter(({ name }) => name !== "busybox");

describe.skipIf(!hasRpm).each(shells)("split rpm under $name", (shell) => {
  it("gives each package what is its own", () => {
    const root = makeMergedRoot();
    installRpm(root, [writeSpec("tool", [8, 8])]);
    put(root, "usr/share/unowned");
    const lab = createLab(shell);
    lab.ok(["split", "auto", root]);
    const layers = readLayers(lab, root);
    expect(Object.keys(layers)).toEqual(["tool-1.0-2", "tool-more-1.0-2", "rpm-database", "other"]);
    expect(layers["tool-1.0-2"]).toEqual(["usr/share/tool/file"]);
    expect(layers["rpm-database"]).toContain("var/lib/rpm/rpmdb.sqlite");
    expect(layers["other"]).toContain("usr/share/unowned");
  });

  it("takes packages that tell no source for one each", () => {
    const root = makeMergedRoot();
    installRpm(root, [
      writeSpec("big", [900_000, 800_000]),
      writeSpec("one", [500_000, 400_000]),
      writeSpec("small", [8, 8]),
    ]);
    const told = execute("python3", ["-c", dropSources, root, "small"]);
    expect(told).toContain("small (none)\n");
    expect(told).toContain("small-more (none)\n");
    expect(told).toContain("one one-1.0-2.src.rpm\n");
    const lab = createLab(shell);
    // Those of one source share a layer, which costs nothing.
    lab.ok(["split", "--max", "6", "rpm", root]);
    expect(lab.entries().map((entry) => entry.created_by)).toEqual([
      "big-1.0-2 big-more-1.0-2",
      "one-1.0-2 one-more-1.0-2",
      "small-1.0-2 small-more-1.0-2",
      "rpm-database",
      "other",
    ]);
  });
});
