import { chmodSync, linkSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { awks, createLab, listShells, makeScratch, put, type Lab, type Shell } from "./lab.ts";
import { compareTrees, flatten, readLayers, readTree, type Layers } from "./oracle.ts";
import { execute, makeMergedRoot, putDpkg } from "./roots.ts";

const names = (lab: Lab): readonly string[] => lab.entries().map((entry) => entry.created_by);

function split(lab: Lab, root: string, limit: string, ...options: readonly string[]) {
  lab.ok(["split", "--max-layer-bytes", limit, ...options, "dpkg", root]);
}

/** A root with a package of 60 files of 1 to 40 kB, some of which have two names. */
function makeRoot(version = "1.0"): string {
  const root = makeMergedRoot();
  const list = Array.from({ length: 60 }, (_, at) => `/usr/lib/cuda/${String(at % 7)}/lib${at}.so`);
  const twice = list.map((path) => path.replace("cuda", "also")).filter((_, at) => at % 9 === 0);
  for (const [at, path] of list.entries())
    put(root, path, "x".repeat(1000 * (1 + ((at * 17) % 40))));
  mkdirSync(join(root, "usr/lib/also"));
  for (const path of twice) {
    mkdirSync(join(root, path, ".."), { recursive: true });
    linkSync(join(root, path.replace("also", "cuda")), join(root, path));
  }
  execute("chmod", ["700", join(root, "usr/lib/cuda/3")]);
  put(root, "srv/data");
  putDpkg(root, [
    { name: "cuda", version, list: ["/usr/lib/cuda", ...list, ...twice] },
    { name: "tool", list: ["/usr/bin/tool"] },
  ]);
  put(root, "usr/bin/tool");
  return root;
}

const pieceName = /^cuda(?:#[0-9a-f]{6})?-1\.0$/;

describe.each(listShells())("--max-layer-bytes under $name", (shell) => {
  it("divides what is larger at file boundaries", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    split(lab, root, "150k");
    const pieces = names(lab).filter((name) => pieceName.test(name));
    expect(pieces.length).toBeGreaterThan(1_200_000 / 153_600);
    expect(pieces).toContain("cuda-1.0");
    const tree = readTree(root);
    const layers = readLayers(lab, root);
    for (const name of pieces) {
      // A file is there once, whatever its names.
      const files = (layers[name] ?? []).map((path) => statSync(join(root, path)));
      const sizes = new Map(files.map(({ ino, size }) => [ino, size]));
      const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
      expect(total).toBeGreaterThan(0);
      expect(total).toBeLessThanOrEqual(153_600);
    }
    expect(names(lab).slice(-3)).toEqual(["tool-1.0", "dpkg-database", "other"]);
    expect(compareTrees(tree, readTree(flatten(lab)))).toEqual([]);
  });

  it("keeps the pieces that have not changed", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    split(lab, root, "150k");
    const before = readLayers(lab, root);
    lab.next();
    put(root, "usr/lib/cuda/1/lib1.so", "y".repeat(18_000));
    split(lab, root, "150k");
    expect(names(lab)).toEqual(Object.keys(before));
    const written = lab.entries().filter((entry) => entry.path !== undefined);
    expect(written.map((entry) => entry.created_by)).toEqual(
      Object.keys(before).filter((name) => before[name]?.includes("usr/lib/cuda/1/lib1.so")),
    );
  });

  it("leaves a layer of its own to a file that is larger, and says so", () => {
    const root = makeRoot();
    put(root, "usr/lib/cuda/3/lib3.so", "x".repeat(200_000));
    const lab = createLab(shell);
    const result = lab.run(["split", "--max-layer-bytes=150k", "dpkg", root]);
    expect(result).toMatchObject({
      status: 0,
      stderr:
        "layer: warning: /usr/lib/cuda/3/lib3.so alone is larger than --max-layer-bytes, its layer has more\n",
    });
    const layers = Object.values(readLayers(lab, root));
    expect(layers).toContainEqual(["usr/lib/cuda/3/lib3.so"]);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("divides what belongs to nobody, what is mapped, and what was said by attributes", () => {
    const root = makeRoot();
    for (let at = 0; at < 20; at += 1) {
      put(root, `opt/models/${at}`, "x".repeat(30_000));
      put(root, `srv/more/${at}/file`, "x".repeat(30_000));
    }
    put(root, "srv/line\nbreak");
    const map = join(makeScratch(), "map");
    writeFileSync(map, "models /opt\n");
    const lab = createLab(shell);
    split(lab, root, "150k", "--map", map);
    for (const stem of ["models", "other"]) {
      expect(names(lab)).toContain(stem);
      const pieces = names(lab).filter((name) => name.startsWith(`${stem}#`));
      expect(pieces.length).toBeGreaterThanOrEqual(4);
    }
    expect(lab.paths("other")).toContain("srv/line");
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it("makes no more layers than there is room for, and says so", () => {
    const root = makeRoot();
    const lab = createLab(shell);
    const args = ["split", "--max-layer-bytes=150k", "--max=5", "dpkg", root];
    expect(lab.run(args).stderr).toBe(
      "layer: warning: some layers are larger than --max-layer-bytes, for there is room for 5\n",
    );
    expect(names(lab).length).toBeLessThanOrEqual(5);
    expect(compareTrees(readTree(root), readTree(flatten(lab)))).toEqual([]);
  });

  it.each(["0", "x", "1t", "-1", "010", "5mm", "1.5g"])("takes no %j", (value) => {
    const result = createLab(shell).run([
      "split",
      "--max-layer-bytes",
      value,
      "dpkg",
      makeScratch(),
    ]);
    expect(result).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/--max-layer-bytes takes/),
    });
  });
});

/** The pieces of a tree of files, by name, and what each holds. */
function splitTree(shell: Shell, root: string): Layers {
  const lab = createLab(shell);
  split(lab, root, "256k");
  return readLayers(lab, root);
}

function changedPieces(before: Layers, after: Layers): readonly string[] {
  const left = new Set(Object.values(after).map((paths) => paths.join("\n")));
  return Object.keys(before).filter((name) => !left.has((before[name] ?? []).join("\n")));
}

function makeTree(count: number): string {
  const root = makeMergedRoot();
  putDpkg(root, []);
  for (let at = 0; at < count; at += 1) {
    const name = `opt/tree/${String(at % 40)}/${String(at).padStart(5, "0")}`;
    put(root, name, "x".repeat(500 + ((at * 7919) % 4000)));
  }
  return root;
}

const [dash] = listShells();

describe("the boundaries of pieces", () => {
  it("stay where a file comes or goes, in all pieces but that one", () => {
    if (dash === undefined) throw new Error("no shell");
    const root = makeTree(2000);
    const before = splitTree(dash, root);
    expect(Object.keys(before).length).toBeGreaterThan(15);
    let changed = 0;
    const places = [
      "0/new",
      "7/00000",
      "12/00900a",
      "21/zzz",
      "33/01033x",
      "39/01999b",
      "5/sub/new",
    ];
    for (const place of places) {
      put(root, `opt/tree/${place}`, "x".repeat(2500));
      const pieces = changedPieces(before, splitTree(dash, root));
      rmSync(join(root, "opt/tree", place));
      rmSync(join(root, "opt/tree/5/sub"), { recursive: true, force: true });
      expect(pieces.length).toBeLessThanOrEqual(2);
      changed += pieces.length;
    }
    expect(changed).toBeLessThanOrEqual(places.length + 1);
    rmSync(join(root, "opt/tree/12/00932"));
    expect(changedPieces(before, splitTree(dash, root)).length).toBeLessThanOrEqual(2);
  });

  it("move one shard of a model where one has changed", () => {
    if (dash === undefined) throw new Error("no shell");
    const root = makeMergedRoot();
    putDpkg(root, []);
    const shards = Array.from({ length: 20 }, (_, at) => `opt/model/shard-${String(at + 10)}`);
    for (const shard of shards) {
      put(root, shard, shard);
      execute("truncate", ["-s", "900K", join(root, shard)]);
    }
    put(root, "opt/model/config.json");
    put(root, "opt/model/tokenizer.json", "x".repeat(20_000));
    const map = join(makeScratch(), "map");
    writeFileSync(map, "model /opt/model\n");
    const lab = createLab(dash);
    split(lab, root, "1m", "--map", map);
    for (const shard of shards)
      expect(names(lab).filter((name) => lab.paths(name).includes(shard))).toHaveLength(1);
    const before = names(lab);
    lab.next();
    put(root, "opt/model/shard-17", "changed");
    execute("truncate", ["-s", "901K", join(root, "opt/model/shard-17")]);
    split(lab, root, "1m", "--map", map);
    expect(names(lab)).toEqual(before);
    const [written, ...more] = lab.entries().filter((entry) => entry.path !== undefined);
    expect(more).toEqual([]);
    expect(lab.paths(written?.created_by ?? "")).toContain("opt/model/shard-17");
  });

  it("are the same for each awk", () => {
    if (dash === undefined) throw new Error("no shell");
    const root = makeTree(600);
    put(root, "opt/tree/é/\u00ff", "x".repeat(9000));
    const found = awks.map((awk) => {
      const directory = makeScratch();
      writeFileSync(join(directory, "awk"), `#!/bin/sh\nexec ${awk.join(" ")} "$@"\n`);
      chmodSync(join(directory, "awk"), 0o755);
      return splitTree({ ...dash, path: `${directory}:${dash.path}` }, root);
    });
    for (const layers of found) expect(layers).toEqual(found[0]);
    expect(Object.keys(found[0] ?? {}).length).toBeGreaterThan(4);
  });
});
