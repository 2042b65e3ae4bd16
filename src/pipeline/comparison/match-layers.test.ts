import { describe, expect, test } from "vitest";
import { type MatchedLayer, matchLayers } from "./match-layers.ts";

/** `name` has a content of its own; of `name=x` the content is x, of `name=x/y` the blob is y of it. */
function layers(...texts: readonly string[]): readonly MatchedLayer[] {
  return texts.map((text) => {
    const [name = "", content = text] = text.split("=");
    const [archive = "", blob = archive] = content.split("/");
    return { name, diffId: `sha256:${archive}`, digest: `sha256:${blob}` };
  });
}

/** `before -> after` of what is replaced, `= name` of what is the same. */
function match(before: readonly string[], after: readonly string[]): readonly string[] {
  const [old, now] = [layers(...before), layers(...after)];
  const { same, replaced } = matchLayers(old, now);
  return now.flatMap(({ name }, place) => {
    const [equal, partner] = [same.get(place), replaced.get(place)];
    if (equal !== undefined) return [`= ${old[equal]?.name}`];
    return partner === undefined ? [] : [`${old[partner]?.name} -> ${name}`];
  });
}

describe("layers that stand for others", () => {
  test("the same blob before all, in its order", () => {
    expect(match(["a=1", "b=2"], ["b=1", "a=2"])).toEqual(["= a", "= b"]);
    expect(match(["a=1"], ["x=1", "a=1"])).toEqual(["= a"]);
  });

  test("the same archive in other bytes before the same name", () => {
    expect(match(["a=1/p", "b=2/q"], ["b=1/r", "a=3/s"])).toEqual(["a -> b"]);
    expect(match(["a=1/p", "a=2/q"], ["a=2/r", "a=3/s"])).toEqual(["a -> a", "a -> a"]);
  });

  test("the same name with other content before another version", () => {
    expect(match(["a-1=1", "a-2=2"], ["a-2=3", "a-3=4"])).toEqual(["a-2 -> a-2", "a-1 -> a-3"]);
  });

  test("of several versions the next one", () => {
    expect(match(["d-2.6.9", "d-4.3.4"], ["d-4.3.5", "d-2.6.10"])).toEqual([
      "d-4.3.4 -> d-4.3.5",
      "d-2.6.9 -> d-2.6.10",
    ]);
    expect(match(["d-2.6.9", "d-4.3.4"], ["d-4.3.5"])).toEqual(["d-4.3.4 -> d-4.3.5"]);
  });

  test("packages of similar names stay apart", () => {
    expect(match(listSimilar("12.2"), listSimilar("12.3").toReversed())).toEqual([
      "openssl-12.2-dev -> openssl-12.3-dev",
      "openssl-12.2 -> openssl-12.3",
      "gcc-12-base-12.2 -> gcc-12-base-12.3",
      "gcc-12-12.2 -> gcc-12-12.3",
    ]);
  });

  test("a layer of packages is one that has most of them", () => {
    expect(match(["a-1 b-1 c-1", "d-1 e-1"], ["d-1 e-2 f-1", "a-1 b-2 c-1"])).toEqual([
      "d-1 e-1 -> d-1 e-2 f-1",
      "a-1 b-1 c-1 -> a-1 b-2 c-1",
    ]);
    expect(match(["a-1", "b-1"], ["a-2 b-1"])).toEqual(["a-1 -> a-2 b-1"]);
    expect(match(["a-1 b-1 c-1 d-1"], ["a-1 x-1 y-1 z-1"])).toEqual([]);
  });

  test("nothing stands for what has another name, or none", () => {
    expect(match(["a-1", "RUN x"], ["b-1", "RUN y"])).toEqual([]);
    expect(match(["=1"], ["=2"])).toEqual([]);
    expect(match([], ["a-1"])).toEqual([]);
    expect(match(["a-1"], [])).toEqual([]);
  });

  test("no layer is matched twice", () => {
    expect(match(["a-1", "a-2"], ["a-3", "a-4", "a-5"])).toHaveLength(2);
    expect(match(["a=1"], ["a=1", "a=1"])).toHaveLength(1);
  });
});

test("thousands of layers of one name take no square of them", () => {
  expect(match(listVersions(0), listVersions(5000))).toHaveLength(5000);
});

function listVersions(from: number): readonly string[] {
  return Array.from({ length: 5000 }, (_, index) => `a-1.${from + index}.0`);
}

function listSimilar(version: string): readonly string[] {
  return [
    `gcc-12-${version}`,
    `gcc-12-base-${version}`,
    `openssl-${version}`,
    `openssl-${version}-dev`,
  ];
}
