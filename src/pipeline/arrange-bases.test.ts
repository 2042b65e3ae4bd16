import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createPathsBuilder, type LayerPaths } from "../archive/overlap/layer-paths.ts";
import { newDirectory } from "../archive/overlap/path-stack.ts";
import { impliedDirectory, isDirectoryState } from "../archive/overlap/state.ts";
import { readName } from "../archive/overlap/names.ts";
import type { Digest, HistoryEntry } from "../oci/model.ts";
import { arrangeKnown } from "./arrange-bases.ts";
import { findHidden, type HiddenPath } from "./base-hides.ts";
import {
  concatenate,
  dropRepeated,
  listLayers,
  standOnce,
  type PlacedEntry,
} from "./base-order.ts";
import type { BaseImage } from "./bases.ts";

type Base = Pick<BaseImage, "image">;

/** Names of layers stand for them; a word with `#` is a history entry without a layer. */
function makeBase(words: readonly string[]): Base {
  const names = words.filter((word) => !word.startsWith("#"));
  const history = words.map((word): HistoryEntry => ({
    created_by: word,
    ...(word.startsWith("#") && { empty_layer: true }),
  }));
  const blob = { mediaType: "application/vnd.oci.image.layer.v1.tar", size: 1 };
  const layers = names.map((name) => ({ ...blob, digest: digestOf(`blob ${name}`) }));
  const rootfs = { type: "layers", diff_ids: names.map(digestOf) } as const;
  const manifest = { schemaVersion: 2 as const, mediaType: "", layers };
  const config = { architecture: "amd64", os: "linux", rootfs, history };
  return {
    image: { manifest: { ...manifest, config: { ...blob, digest: digestOf("") } }, config },
  };
}

function digestOf(name: string): Digest {
  return `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0")}`;
}

/** `a`: the file a, with a content; `d/`: a directory, with a mode; `.wh.a` and `d/.wh..wh..opq` as in archives. */
type Files = Readonly<Record<string, string>>;

function makePaths(files: Files): LayerPaths {
  const { take, paths } = createPathsBuilder("layer");
  for (const [key, value] of Object.entries(files)) {
    const name = readName(key.endsWith("/") ? key.slice(0, -1) : key);
    const state = key.endsWith("/") ? `d${value}` : `f${value}`;
    take(name.kind === "entry" ? { ...name, state } : name);
  }
  return paths;
}

function makeKnown(layers: Readonly<Record<string, Files>>): ReadonlyMap<Digest, LayerPaths> {
  return new Map(
    Object.entries(layers).map(([name, files]) => [digestOf(name), makePaths(files)] as const),
  );
}

/** `b x, b y` are two images. */
function makeBases(text: string): readonly Base[] {
  return text.split(", ").map((words) => makeBase(words.split(" ")));
}

function listWords(placed: readonly Pick<PlacedEntry, "entry">[]): string {
  return placed
    .map(({ entry }) => (entry.kind === "layer" ? entry.layer.history : entry.history).created_by)
    .join(" ");
}

function arrange(text: string, layers: Readonly<Record<string, Files>> = {}): string {
  const { entries } = arrangeKnown(makeBases(text), [], makeKnown(layers));
  return listWords(entries.map((entry) => ({ entry })));
}

describe("a common leading run stands once", () => {
  test.each([
    ["b1 b2 x, b1 b2 y", "b1 b2 x y"],
    ["b x, c y", "b x c y"],
    ["b x, b x", "b x"],
    ["b, b x", "b x"],
    ["b x, b", "b x"],
    ["b x, b y, b y z", "b x y z"],
    ["b x, b y, b w, b y z", "b x y w z"],
    ["b x, b y, b x z", "b x y z"],
    ["b x, c y, c z", "b x c y z"],
    // Only what is leading.
    ["b x, y x", "b x y x"],
    ["b x, x y", "b x y"],
    ["x b, y b", "x b y b"],
    // One image is as it is.
    ["x x y x", "x x y x"],
    ["b x, b x x", "b x x"],
  ])("%s: %s", (bases, expected) => {
    expect(arrange(bases)).toBe(expected);
  });

  test.each([
    ["b #cmd x, b #cmd y", "b #cmd x y"],
    ["b #cmd x, b #env y", "b #cmd x #env y"],
    ["b #cmd x, b #cmd #env y #end", "b #cmd x #env y #end"],
    ["#first b x, #second b y", "#first b x y"],
    ["#same x, #same y", "#same x #same y"],
    ["b #cmd, b", "b #cmd"],
  ])("with its entries of the history: %s: %s", (bases, expected) => {
    expect(arrange(bases)).toBe(expected);
  });

  test("with the descriptors of the first image", () => {
    const { entries, layerCount, lists } = arrangeKnown(makeBases("b x, b y"), [], new Map());
    expect(entries.length).toBe(3);
    expect(layerCount).toBe(3);
    expect(lists.map((list) => list.length)).toEqual([3, 3, 4]);
  });
});

describe("another repeated layer", () => {
  const a = { a: "1" };
  const cases: Readonly<
    Record<string, readonly [bases: string, Readonly<Record<string, Files>>, string]>
  > = {
    "stays where nothing is known": ["x, y, x z", {}, "x y z"],
    "stays behind one that is not known": ["x, y x", { x: a }, "x y x"],
    "stays if it is not known": ["x, y x", { y: a }, "x y x"],
    "goes where another one has other files": ["x, y x", { x: a, y: { b: "1" } }, "x y"],
    "stays where another one has its file": ["x, y x", { x: a, y: { a: "2" } }, "x y x"],
    "stays where another one has its very file": ["x, y x", { x: a, y: a }, "x y x"],
    "stays where its file is removed": ["x, y x", { x: a, y: { ".wh.a": "" } }, "x y x"],
    "stays where its directory is removed": [
      "x, y x",
      { x: { "d/a": "1" }, y: { ".wh.d": "" } },
      "x y x",
    ],
    "stays where its directory is opaque": [
      "x, y x",
      { x: { "d/a": "1" }, y: { "d/.wh..wh..opq": "" } },
      "x y x",
    ],
    "stays where the root is opaque": ["x, y x", { x: a, y: { ".wh..wh..opq": "" } }, "x y x"],
    "stays where a file takes its directory's place": [
      "x, y x",
      { x: { "d/a": "1" }, y: { d: "1" } },
      "x y x",
    ],
    "stays where something lies in its file": [
      "x, y x",
      { x: { d: "1" }, y: { "d/a": "1" } },
      "x y x",
    ],
    "stays where there is something that it removes": [
      "x, y x",
      { x: { ".wh.a": "" }, y: a },
      "x y x",
    ],
    "stays where there is something in what it removes": [
      "x, y x",
      { x: { ".wh.d": "" }, y: { "d/e/a": "1" } },
      "x y x",
    ],
    "stays where there is something in its opaque directory": [
      "x, y x",
      { x: { "d/.wh..wh..opq": "" }, y: { "d/a": "1" } },
      "x y x",
    ],
    "stays where its directory gets another mode": [
      "x, y x",
      { x: { "d/": "755", "d/a": "1" }, y: { "d/": "700" } },
      "x y x",
    ],
    "goes where its directory keeps its mode": [
      "x, y x",
      { x: { "d/": "755", "d/a": "1" }, y: { "d/": "755", "d/b": "1" } },
      "x y",
    ],
    "goes where its directory is only lain in": [
      "x, y x",
      { x: { "d/": "755", "d/a": "1" }, y: { "d/b": "1" } },
      "x y",
    ],
    "goes where other files are removed": [
      "x, y x",
      { x: { "d/a": "1" }, y: { "d/.wh.b": "" } },
      "x y",
    ],
    "goes behind several": ["x, y z x", { x: a, y: { b: "1" }, z: { c: "1" } }, "x y z"],
    "stays behind one of several": ["x, y z x", { x: a, y: { b: "1" }, z: { a: "2" } }, "x y z x"],
    "goes with one that lies between its own": [
      "x y, z x y",
      { x: a, y: { b: "1" }, z: { c: "1" } },
      "x y z",
    ],
    "an image's own repeats stay": ["w, x y x", { w: { c: "1" }, x: a, y: { b: "1" } }, "w x y x"],
    "goes without its neighbours in the history": [
      "x, y #b x #c",
      { x: a, y: { b: "1" } },
      "x y #b #c",
    ],
  };
  test.each(Object.entries(cases))("%s", (_, [bases, layers, expected]) => {
    expect(arrange(bases, layers)).toBe(expected);
  });
});

function listHidden(
  bases: readonly Base[],
  known: ReadonlyMap<Digest, LayerPaths>,
): readonly HiddenPath[] {
  const placed = standOnce(bases);
  const standing = {
    bases: bases.map(({ image }) => image.config.rootfs.diff_ids),
    placed: placed.flatMap(({ base, entry }) =>
      entry.kind === "layer" ? [{ base, diffId: entry.layer.diffId }] : [],
    ),
  };
  return findHidden(standing, known);
}

describe("what one image hides of another", () => {
  const cases: Readonly<
    Record<string, readonly [bases: string, Readonly<Record<string, Files>>, readonly string[]]>
  > = {
    "another file": ["x, y", { x: { a: "1" }, y: { a: "2" } }, ["a 0 1"]],
    "not the same file": ["x, y", { x: { a: "1" }, y: { a: "1" } }, []],
    "not a file beside it": ["x, y", { x: { a: "1" }, y: { b: "1" } }, []],
    "another mode of a directory": ["x, y", { x: { "d/": "755" }, y: { "d/": "700" } }, ["d 0 1"]],
    "not a directory that is only lain in": [
      "x, y, z",
      { x: { "d/a": "1" }, y: { "d/": "700" }, z: { "d/b": "1" } },
      [],
    ],
    "what it removes": ["x, y", { x: { a: "1" }, y: { ".wh.a": "" } }, ["a 0 1"]],
    "a directory that it removes, alone": [
      "x, y",
      { x: { "d/": "755", "d/a": "1" }, y: { ".wh.d": "" } },
      ["d 0 1"],
    ],
    "what was in an opaque directory": [
      "x, y",
      { x: { "d/": "755", "d/a": "1" }, y: { "d/": "755", "d/.wh..wh..opq": "" } },
      ["d/a 0 1"],
    ],
    "a directory that became a file": ["x, y", { x: { "d/a": "1" }, y: { d: "1" } }, ["d 0 1"]],
    "a file that became a directory": ["x, y", { x: { d: "1" }, y: { "d/a": "1" } }, ["d 0 1"]],
    "not what it removed that another one has": ["x, y", { x: { ".wh.a": "" }, y: { a: "1" } }, []],
    "of each image": [
      "x, y, z",
      { x: { a: "1" }, y: { a: "2" }, z: { a: "3" } },
      ["a 0 2", "a 1 2"],
    ],
    "not what an image changes of its own base": ["b, b y", { b: { a: "1" }, y: { a: "2" } }, []],
    "nor of a base that another one begins with": [
      "b x, b y",
      { b: { a: "1" }, x: { b: "1" }, y: { a: "2" } },
      [],
    ],
    "a base's file that one below changes": [
      "b x, b y",
      { b: { a: "1" }, x: { a: "2" }, y: { b: "1" } },
      ["a 1 0"],
    ],
    "a base's file that both change": [
      "b x, b y",
      { b: { a: "1" }, x: { a: "2" }, y: { a: "3" } },
      ["a 0 1"],
    ],
    "what a base removes that one below has again": [
      "b w x, b w y",
      { b: { a: "1" }, w: { ".wh.a": "" }, x: { a: "2" }, y: { b: "1" } },
      ["a 1 0"],
    ],
    "as far as layers are known": ["x ?, y", { x: { a: "1" }, y: { a: "2" } }, ["a 0 1"]],
  };
  test.each(Object.entries(cases))("%s", (_, [bases, layers, expected]) => {
    const found = listHidden(makeBases(bases), makeKnown(layers));
    expect(found.map(({ path, of, by }) => `${path} ${of} ${by}`)).toEqual(expected);
  });

  test("is a warning that names them, the first ones", () => {
    const files = (content: string): Files =>
      Object.fromEntries(Array.from({ length: 12 }, (_, index) => [`f${index + 10}`, content]));
    const known = makeKnown({ x: files("1"), y: files("2") });
    const { warnings } = arrangeKnown(makeBases("x, y"), ["one", "two\u001b[2J"], known);
    expect(warnings.map(({ code }) => code)).toEqual(["from-hides"]);
    const lines = warnings[0]?.message.split("\n") ?? [];
    expect(lines[0]).toBe("images of --from hide 12 paths of one another:");
    expect(lines[1]).toBe(String.raw`f10 of one (hidden by two\x1b[2J)`);
    expect(lines.length).toBe(12);
    expect(lines.at(-1)).toBe("and 2 more");
  });
});

/** What an image comes to, by unpacking one layer after another. */
function flatten(
  layers: readonly Digest[],
  known: ReadonlyMap<Digest, LayerPaths>,
): ReadonlyMap<string, string> {
  const tree = new Map<string, string>();
  const removeBelow = (path: string): void => {
    for (const one of tree.keys()) if (path === "" || one.startsWith(`${path}/`)) tree.delete(one);
  };
  for (const diffId of layers) {
    const {
      entries = new Map<string, string>(),
      removed = [],
      opaque = [],
    } = known.get(diffId) ?? {};
    for (const path of removed) {
      removeBelow(path);
      tree.delete(path);
    }
    for (const path of opaque) removeBelow(path);
    for (const [path, state] of entries) {
      const there = tree.get(path);
      const isThere = there !== undefined && isDirectoryState(there);
      if (!isDirectoryState(state)) removeBelow(path);
      if (state !== impliedDirectory) tree.set(path, state);
      else if (!isThere) tree.set(path, newDirectory);
    }
  }
  return new Map([...tree].sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe("any images", () => {
  const paths = ["a", "d", "d/a", "d/e", "d/e/a", "d/e/b"];
  const entry = fc.tuple(
    fc.constantFrom(...paths),
    fc.constantFrom("file", "file", "directory", "removed", "opaque"),
    fc.constantFrom("1", "2"),
  );
  const nameEntry = ([path, kind]: readonly [string, string, string]): string => {
    if (kind === "removed") return path.replace(/[^/]*$/, (name) => `.wh.${name}`);
    if (kind === "opaque") return path === "a" ? ".wh..wh..opq" : `${path}/.wh..wh..opq`;
    return kind === "directory" ? `${path}/` : path;
  };
  const layer = fc
    .array(entry, { minLength: 1, maxLength: 4 })
    .map((entries) => Object.fromEntries(entries.map((one) => [nameEntry(one), one[2]])))
    .filter((files) => {
      try {
        makePaths(files);
        return true;
      } catch {
        return false;
      }
    });
  const names = ["p", "q", "r", "s"] as const;
  const cases = fc.record({
    layers: fc.record({ p: layer, q: layer, r: layer, s: layer }),
    bases: fc.array(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }), {
      minLength: 2,
      maxLength: 4,
    }),
    unknown: fc.subarray([...names]),
  });
  const list = (placed: readonly PlacedEntry[]): readonly Digest[] =>
    listLayers(placed).map(({ diffId }) => diffId);
  const runs = Number(process.env["XBUILD_TEST_RUNS"] ?? 3000);

  test("what is dropped makes no difference, whatever is known", () => {
    let dropped = 0;
    fc.assert(
      fc.property(cases, ({ layers, bases, unknown }) => {
        const all = makeKnown(layers);
        const known = new Map(
          [...all].filter(([one]) => !unknown.some((name) => digestOf(name) === one)),
        );
        const images = bases.map(makeBase);
        const placed = standOnce(images);
        const left = dropRepeated(placed, images, known);
        dropped += placed.length - left.length;
        expect(flatten(list(left), all)).toEqual(flatten(list(placed), all));
      }),
      { seed: Number(process.env["XBUILD_TEST_SEED"] ?? 12), numRuns: runs },
    );
    expect(dropped).toBeGreaterThan(runs / 100);
  });

  test("a run that stands once makes no difference where no warning says so", () => {
    let silent = 0;
    fc.assert(
      fc.property(cases, ({ layers, bases: words }) => {
        const known = makeKnown(layers);
        const bases = words.map(makeBase);
        const [before, after] = [concatenate(bases), standOnce(bases)].map(list);
        if (listHidden(bases, known).length > 0) return;
        silent += before?.length === after?.length ? 0 : 1;
        expect(flatten(after ?? [], known)).toEqual(flatten(before ?? [], known));
      }),
      { seed: Number(process.env["XBUILD_TEST_SEED"] ?? 12), numRuns: runs },
    );
    expect(silent).toBeGreaterThan(runs / 100);
  });

  test("what is told is hidden; where images have no run in common, all of it is told", () => {
    fc.assert(
      fc.property(cases, ({ layers, bases: words }) => {
        const known = makeKnown(layers);
        const bases = words.map(makeBase);
        const result = flatten(list(standOnce(bases)), known);
        const hidden = listHidden(bases, known);
        const trees = words.map((one) => flatten(one.map(digestOf), known));
        for (const { path, of } of hidden) expect(trees[of]?.get(path)).not.toBe(result.get(path));
        if (new Set(words.map(([first]) => first)).size < words.length) return;
        const told = new Set(hidden.map(({ path, of }) => `${of} ${path}`));
        for (const [of, tree] of trees.entries()) {
          for (const [path, state] of tree) {
            if (state === result.get(path) || state === newDirectory) continue;
            const parts = path.split("/");
            const above = parts.map((_, index) => `${of} ${parts.slice(0, index + 1).join("/")}`);
            expect(above.some((one) => told.has(one))).toBe(true);
          }
        }
      }),
      { seed: Number(process.env["XBUILD_TEST_SEED"] ?? 12), numRuns: runs },
    );
  });
});
