import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  digestOf,
  type Files,
  listHidden,
  makeBase,
  makeKnown,
  makePaths,
} from "../../test/support/base-images.ts";
import { newDirectory } from "../archive/overlap/path-stack.ts";
import type { LayerPaths } from "../archive/overlap/layer-paths.ts";
import { impliedDirectory, isDirectoryState } from "../archive/overlap/state.ts";
import type { Digest } from "../oci/model.ts";
import {
  concatenate,
  dropRepeated,
  listLayers,
  type PlacedEntry,
  standOnce,
} from "./base-order.ts";

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
  const layer = fc
    .array(entry, { minLength: 1, maxLength: 4 })
    .map((entries) => Object.fromEntries(entries.map((one) => [nameEntry(one), one[2]])))
    .filter(isLayer);
  const names = ["p", "q", "r", "s"] as const;
  const cases = fc.record({
    layers: fc.record({ p: layer, q: layer, r: layer, s: layer }),
    bases: fc.array(fc.array(fc.constantFrom(...names), { minLength: 1, maxLength: 4 }), {
      minLength: 2,
      maxLength: 4,
    }),
    unknown: fc.subarray([...names]),
  });
  const runs = 3000;

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
      { seed: 12, numRuns: runs },
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
      { seed: 12, numRuns: runs },
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
      { seed: 12, numRuns: runs },
    );
  });
});

function nameEntry([path, kind]: readonly [string, string, string]): string {
  if (kind === "removed") return path.replace(/[^/]*$/, (name) => `.wh.${name}`);
  if (kind === "opaque") return path === "a" ? ".wh..wh..opq" : `${path}/.wh..wh..opq`;
  return kind === "directory" ? `${path}/` : path;
}

function isLayer(files: Files): boolean {
  try {
    makePaths(files);
    return true;
  } catch {
    return false;
  }
}

function list(placed: readonly PlacedEntry[]): readonly Digest[] {
  return listLayers(placed).map(({ diffId }) => diffId);
}
