import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createInside, makeContainer, runMounted } from "./container.ts";
import { createLab, listShells, makeScratch, put } from "./lab.ts";
import type { Shell } from "./lab.ts";
import { compareTrees, flatten, readTree } from "./oracle.ts";

// buildah shows the VOLUMEs of a base as directories with such names; what only looks alike is a user's.

const [id, hash] = ["0123456789abcdef".repeat(4), "fedcba9876543210".repeat(4)];
const ofEngine = `overlay-containers/${id}/userdata/buildah-volumes/${hash}`;

/** Where a mount comes from, below a directory of the machine; whether its files are the image's. */
const sources: readonly (readonly [string, boolean])[] = [
  [ofEngine, true],
  [`with blank \\ back*[a]/vfs-containers/${id}/userdata/buildah-volumes/${hash}`, true],
  ["buildah-volumes/x", false],
  [`buildah-volumes/${hash}`, false],
  [`userdata/buildah-volumes/${hash}`, false],
  [`${id}/userdata/buildah-volumes/x`, false],
  [`${id.slice(1)}/userdata/buildah-volumes/${hash}`, false],
  [`${id.toUpperCase()}/userdata/buildah-volumes/${hash}`, false],
  [`${id}/userdata/buildah-volumes/${hash}/sub`, false],
  [`${id}/userdata/buildah-volumes/${hash}/${hash}`, false],
  [`${id}/userdata/buildah-volumes`, false],
  [`${id}/userdata/buildah-volumes/${hash.slice(1)}g`, false],
];

/** Adds a directory in which the script has mounted something, from outside of any container. */
function addMounted(shell: Shell, script: string) {
  const tree = makeScratch();
  const host = makeScratch();
  put(tree, "own", "own");
  const lab = createLab(shell);
  const helper = join(lab.base, "bin/layer");
  const setup = `set -e; tree=$1 host=$2; cd "$host"; shift 2; ${script}
    cd /; exec "$@"`;
  const command = [...shell.command, helper, "add", "all", "-C", tree, "."];
  const args = ["-m", "sh", "-c", setup, "sh", tree, host, ...command];
  const env = { PATH: `${shell.path}:/usr/sbin:/usr/bin:/sbin:/bin` };
  const result = spawnSync("unshare", args, { encoding: "utf8", env });
  expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
  return { lab, paths: lab.paths("all") };
}

const hasFuse =
  existsSync("/dev/fuse") && spawnSync("fuse-overlayfs", ["--version"]).error === undefined;

const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** Mounts a new directory that holds one file at a place of the tree. */
function mount(source: string, place: string, file = "file"): string {
  const [from, to] = [quote(source), `"$tree"/${quote(place)}`];
  return `mkdir -p ${from} ${to}; echo x >${from}/${file}; mount --bind ${from} ${to};`;
}

const volume = (name: string): string => ofEngine.replace(hash, name.repeat(64));

describe.each(listShells())("what is mounted, under $name", (shell) => {
  it.each(sources)("from %s is the image's: %s", (source, isVolume) => {
    const { paths } = addMounted(shell, mount(source, "a/at b\\040*"));
    const inside = isVolume ? ["a/at b\\040*/file"] : [];
    expect(paths).toEqual(["a", "a/at b\\040*", ...inside, "own"]);
  });

  it("hides what was mounted before, there and below", () => {
    const script = [
      mount(ofEngine, "data"),
      mount("user", "data", "secret"),
      mount(ofEngine.replace(hash, id), "deep/inner"),
      mount("other", "deep", "secret"),
      mount("under", "back", "secret"),
      mount(ofEngine.replaceAll(id, hash), "back", "shown"),
    ];
    const { paths } = addMounted(shell, script.join("\n"));
    expect(paths).toEqual(["back", "back/shown", "data", "deep", "own"]);
  });

  it("may stand in one another", () => {
    const script = [
      mount(volume("a"), "data"),
      mount(volume("b"), "data/volume"),
      mount("user", "data/volume/user", "secret"),
      mount("more", "data/volume/user/more", "secret"),
      mount(volume("c"), "data/volume/user/more/own/volume"),
      mount("user", "data/volume/user/more/own/volume/user", "secret"),
    ];
    const { paths } = addMounted(shell, script.join("\n"));
    expect(paths).toEqual([
      "data",
      "data/file",
      "data/volume",
      "data/volume/file",
      "data/volume/user",
      "data/volume/user/more/own/volume",
      "data/volume/user/more/own/volume/file",
      "data/volume/user/more/own/volume/user",
      "own",
    ]);
  });

  it("may be five hundred volumes", () => {
    const name = `overlay-containers/${id}/userdata/buildah-volumes/$(printf '%064x' "$n")`;
    const script = `n=0; while [ $n -lt 500 ]; do
      mkdir -p "${name}" "$tree/v$n"; echo x >"${name}/file"; mount --bind "${name}" "$tree/v$n"
      n=$((n + 1)); done
      ${mount("user", "v7/user", "secret")}`;
    const { paths } = addMounted(shell, script);
    expect(paths).toHaveLength(2 * 500 + 2);
    expect(paths).toContain("v499/file");
    expect(paths).toContain("v7/user");
    expect(paths).not.toContain("v7/user/secret");
  });
});

describe("split of the container's own root", () => {
  it("has the files of volumes, also those of packages", () => {
    const root = makeContainer();
    const lab = createInside();
    const copies = makeScratch();
    const volume = join(copies, ofEngine);
    mkdirSync(volume, { recursive: true });
    const script = `
      mount -t proc proc "$root/proc"; mount -t tmpfs tmpfs "$root/dev"; mknod "$root/dev/null" c 1 3
      mount --bind "$base/output" "$root/layers/output"
      cp -a "$root/usr/share/." '${volume}'; mount --bind '${volume}' "$root/usr/share"`;
    const result = runMounted(root, lab, script, ["/layers/bin/layer", "split", "auto", "/"]);
    expect(result).toMatchObject({ status: 0, stdout: "", stderr: "" });
    expect(
      compareTrees(readTree(root, ["layers", "etc/hostname"]), readTree(flatten(lab))),
    ).toEqual([]);
    expect(lab.paths("tool-1.0")).toContain("usr/share/tool/file");
  });

  it.skipIf(!hasFuse)("is refused where nobody can say whose files they are", () => {
    const root = makeContainer();
    const [merged, rest] = [makeScratch(), makeScratch()];
    put(rest, "lower/file", "of whom?");
    for (const name of ["upper", "work", "upper2", "work2"]) mkdirSync(join(rest, name));
    const overlay = (lower: string, number: string, point: string): string =>
      `fuse-overlayfs -o 'lowerdir=${lower},upperdir=${rest}/upper${number},workdir=${rest}/work${number}' '${point}' 2>/dev/null`;
    const run = (lower: string) => {
      const lab = createInside();
      const script = `${overlay(root, "", merged)}
        mount --bind "$base" '${merged}/layers'; mount --bind "$base/output" '${merged}/layers/output'
        mount -t proc proc '${merged}/proc'; mount -t tmpfs tmpfs '${merged}/dev'; mknod '${merged}/dev/null' c 1 3
        ${overlay(lower, "2", join(merged, "data"))}
        root='${merged}'`;
      const result = runMounted(root, lab, script, ["/layers/bin/layer", "split", "auto", "/"]);
      return { ...result, lab };
    };
    expect(run(join(rest, "lower"))).toMatchObject({
      status: 1,
      stderr:
        "layer: cannot tell whether /data shows files of the image, put its VOLUME before OUTPUT or mount it without O and rw\n",
    });
    const { lab, ...empty } = run(makeScratch());
    expect(empty).toMatchObject({ status: 0, stderr: "" });
    expect(lab.paths("other")).toContain("data");
  });
});
