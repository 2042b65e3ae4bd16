import { expect, test } from "vitest";
import { changesOn, planAll, releaseOf, unitOf } from "../sample.ts";
import { divideLayers, packByStability } from "./chunkah-packing.ts";
import { chunkah, estimateStability } from "./chunkah.ts";
import { day } from "./components.ts";
import { hashName } from "./hash.ts";

const now = 2000 * day;

test("stability is the chance of a week without a day that has an entry", () => {
  // Three entries on two days, the oldest 50 days ago: 2/50 a day.
  const times = [now - 10 * day, now - 10 * day + 60, now - 50 * day, now - 400 * day];
  expect(estimateStability(times, 0, now)).toBeCloseTo(Math.exp(-0.28), 12);
});

test("stability at the edges: a year without a change, changed today, no changelog", () => {
  expect(estimateStability([now - 366 * day], now, now)).toBe(0.99);
  expect(estimateStability([now - 60], 0, now)).toBe(0);
  expect(estimateStability([], now - 14 * day, now)).toBeCloseTo(Math.exp(-0.5), 12);
  expect(estimateStability([], now - 500 * day, now)).toBe(0.99);
});

test("a name's hash is FNV-1a with a byte 255 behind", () => {
  // Of nothing but the byte: (offset ^ 255) * prime, by hand.
  expect(hashName("")).toBe(0xaf64724c8602eb6en);
});

test("each tier has its part of the layers, and at least one", () => {
  expect(divideLayers([1, 90, 9], 10)).toEqual([1, 8, 1]);
  expect(divideLayers([50, 50], 3)).toEqual([2, 1]);
  expect(divideLayers([98, 1, 1], 4)).toEqual([2, 1, 1]);
});

function rated(name: string, size: number, stability: number) {
  return { name, size, stability, units: [unitOf(name)] };
}

test("as long as there is room, each component has a layer, the most stable lowest", () => {
  const layers = packByStability([rated("a", 1, 0.5), rated("b", 1, 0.9)], 2);
  expect(layers.map((layer) => layer.map(({ name }) => name))).toEqual([["b"], ["a"]]);
});

test("what is large is alone, at most four fifths of the layers", () => {
  const small = Array.from({ length: 20 }, (_, at) => rated(`s${at}`, 10 + at, 0.9));
  const large = Array.from({ length: 6 }, (_, at) => rated(`x${at}`, 1000 + at, 0.5));
  // Floor(0.8 * 4) of five layers: the three largest; the tiers share the other two.
  const layers = packByStability([...small, ...large], 5);
  expect(layers).toHaveLength(5);
  const alone = layers.filter((layer) => layer.length === 1).map(([one]) => one?.name);
  expect(alone.sort()).toEqual(["x3", "x4", "x5"]);
  expect(layers.flat()).toHaveLength(26);
});

test("packages of one source are one component, what nobody owns is the topmost", async () => {
  const old = changesOn("2020-01-01");
  const release = releaseOf(
    "2026-01-01",
    unitOf("libx", { source: "x", changes: old }),
    unitOf("x", { changes: changesOn("2025-12-01", "2025-11-01") }),
    unitOf("y", { changes: old }),
    unitOf("files", { kind: "other" }),
    unitOf("python-cache", { kind: "other" }),
    unitOf("dpkg", { kind: "database" }),
  );
  // The compiled files count as a package's: new today, with nothing known of them.
  expect(await planAll(chunkah, 20, release)).toEqual([
    [["y"], ["libx", "x"], ["python-cache"], ["dpkg", "files"]],
  ]);
});
