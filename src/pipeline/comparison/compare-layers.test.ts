import { describe, expect, test } from "vitest";
import { createPrevious } from "../../../test/support/layers/fixtures.ts";
import type { Digest } from "../../oci/oci.ts";
import { hashText } from "../../oci/oci.ts";
import { compareLayers, type ImageLayer } from "./compare-layers.ts";
import type { Comparison } from "./model.ts";

function digestOf(text: string): Digest {
  return `sha256:${hashText(text).padEnd(64, "0").slice(0, 64)}`;
}

/** `name status [content]`: without a content the name is its content. */
function layer(text: string, size = 10): ImageLayer {
  const [name = "", status = "new", content = name] = text.split(" / ");
  const digest = digestOf(content);
  const statuses = { new: "new", kept: "kept", equal: "equal", base: "base" } as const;
  const known = Object.entries(statuses).find(([one]) => one === status)?.[1] ?? "new";
  return { name, status: known, digest, diffId: digest, size };
}

function compare(before: readonly string[] | undefined, after: readonly ImageLayer[]): Comparison {
  if (before === undefined) return compareLayers(after, undefined);
  const layers = before.map((text) => ({ ...layer(text), size: 10 }));
  return compareLayers(after, createPrevious(layers));
}

function names(layers: readonly { readonly name: string }[]): readonly string[] {
  return layers.map(({ name }) => name);
}

describe("what became of the layers", () => {
  test("one package of many changed, one came, one is gone", () => {
    const told = compare(
      ["base", "a-1", "b-1", "c-1"],
      [layer("base / base"), layer("a-1 / kept"), layer("b-2", 30), layer("d-1", 5)],
    );
    expect(told.changed).toMatchObject([
      { name: "b-2", size: 30, replaces: { name: "b-1", size: 10 } },
    ]);
    expect(names(told.new)).toEqual(["d-1"]);
    expect(names(told.removed)).toEqual(["c-1"]);
    expect(told.same).toEqual({
      base: { layers: 1, size: 10 },
      kept: { layers: 1, size: 10 },
      equal: { layers: 0, size: 0 },
    });
    expect(told).toMatchObject({ size: 55, download: 35, previous: { layers: 4, size: 40 } });
  });

  test("without a previous image all is new but the base, and all is downloaded", () => {
    const told = compare(undefined, [layer("x / base"), layer("a-1")]);
    expect(told.previous).toBeUndefined();
    expect(names(told.new)).toEqual(["a-1"]);
    expect(told.same.base.layers).toBe(1);
    expect(told.download).toBe(20);
  });

  test("a base that moved, and a layer that is kept of another image, are downloaded", () => {
    const told = compare(["x-1", "a-1"], [layer("x-2 / base"), layer("b-1 / kept")]);
    expect(names(told.changed)).toEqual(["x-2"]);
    expect(names(told.new)).toEqual(["b-1"]);
    expect(told.download).toBe(20);
  });

  test("a blob that an image has twice is downloaded once", () => {
    expect(compare([], [layer("a / new / 1"), layer("b / new / 1")]).download).toBe(10);
    expect(compare(["a / new / 1"], [layer("a / kept / 1"), layer("b / new / 1")]).download).toBe(
      0,
    );
  });

  test("packages that share a layer are told, and which of them changed", () => {
    const told = compare(["a-1 b-1 c-1", "d-1"], [layer("a-1 b-2 d-1")]);
    expect(told.shared).toEqual({ layers: 1, packages: 3 });
    expect(told.changed).toMatchObject([
      {
        packages: ["a-1", "b-2", "d-1"],
        replaces: { packages: ["a-1", "b-1", "c-1"] },
        packageChanges: {
          changed: [{ from: "b-1", to: "b-2" }],
          new: ["d-1"],
          removed: ["c-1"],
        },
      },
    ]);
    expect(told.removed).toMatchObject([{ name: "d-1", nowIn: "a-1 b-2 d-1" }]);
  });
});

test("every layer is told once, of the image and of the previous one, whatever they are", () => {
  let state = 7;
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((state / 2_147_483_648) * below);
  };
  const stems = ["a", "b", "a b", "gcc-12", "gcc-12-base", "@s/p", "", "RUN x"];
  const statuses = ["new", "kept", "equal", "base"];
  const pick = (list: readonly string[]): string => list[random(list.length)] ?? "";
  const draw = (): string => {
    const name = pick(stems)
      .split(" ")
      .map((stem) => (random(5) === 0 ? stem : `${stem}-${random(4)}.${random(3)}`))
      .join(" ");
    return `${name} / ${pick(statuses)} / ${random(12)}`;
  };
  for (let round = 0; round < 300; round += 1) {
    const before = Array.from({ length: random(9) }, draw);
    const after = Array.from({ length: random(9) }, () => layer(draw()));
    const { changed, new: fresh, removed, same, previous } = compare(before, after);
    const both = same.kept.layers + same.equal.layers + same.base.layers;
    expect(both + changed.length + fresh.length).toBe(after.length);
    expect(both + changed.length + removed.length).toBe(before.length);
    expect(previous?.layers).toBe(before.length);
  }
});
