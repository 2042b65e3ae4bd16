import { expect, test } from "vitest";
import { digestBytes } from "../../oci/digest.ts";
import type { Digest } from "../../oci/model.ts";
import type { FoundLeftover } from "./find-leftovers.ts";
import { measureGoing, planLeftovers } from "./plan-leftovers.ts";
import type { StorageFiles, StorageImage } from "./storage-files.ts";

/** Layers of 1, 10, 100, ... bytes: what is freed tells which they were. */
const layers = new Map(
  [
    ["base", undefined, 1],
    ["step", "base", 10],
    ["env", "step", 100],
    ["twin", "step", 1000],
    ["lost", "base", 10_000],
  ].map(([id, parent, size]) => [
    String(id),
    {
      id: String(id),
      parent: parent === undefined ? undefined : String(parent),
      size: Number(size),
      diffId: undefined,
      blob: undefined,
    },
  ]),
);

function idOf(word: string): Digest {
  return digestBytes(Buffer.from(word));
}

function store(word: string, layer: string, names: readonly string[]): StorageImage {
  return { id: idOf(word), names, earlierNames: [], digests: [], layer, directory: "/" };
}

function leave(stored: StorageImage, given: Partial<FoundLeftover> = {}): FoundLeftover {
  const base = { isShared: false, isUsed: false, isMade: true, storedAt: 0 };
  return { id: stored.id, names: stored.names, ...base, stored, ...given };
}

const base = store("base", "base", ["example.com/base:1"]);
const step = store("step", "step", []);
const env = store("env", "env", ["localhost/xbuild-env:1"]);
const twin = store("twin", "twin", ["localhost/xbuild-env:2"]);
const lost = store("lost", "lost", []);
const images = [base, step, env, twin, lost];
const files: StorageFiles = { images, layers, containers: [] };
const all = [step, env, twin, lost].map((one) => leave(one));

test("what several share counts once, and what others have not at all", () => {
  const { result, names, steps } = planLeftovers(all, files, () => true);
  expect(result.freed).toBe(11_110);
  expect(names).toEqual(["localhost/xbuild-env:1", "localhost/xbuild-env:2"]);
  expect([...steps].sort()).toEqual([step.id, lost.id].sort());
  expect(measureGoing(new Set([env.id]), files)).toBe(100);
});

test("a step stays as long as something of ours that was made on it", () => {
  const { result, steps } = planLeftovers(all, files, (_, name) => name !== twin.names[0]);
  expect(steps).toEqual([lost.id]);
  expect(result).toMatchObject({ names: env.names, freed: 10_100 });
});

test("steps go from above to below", () => {
  const above = store("above", "env", []);
  const given = { ...files, images: [base, step, above] };
  const { steps } = planLeftovers([leave(step), leave(above)], given, () => true);
  expect(steps).toEqual([above.id, step.id]);
});

test.each([
  ["that a running build uses", { isUsed: true }, { names: [], released: [], freed: 0 }],
  ["that has another name", { isShared: true }, { names: env.names, released: [], freed: 0 }],
  [
    "that nobody knows whose it is",
    { isMade: false },
    { names: [], released: env.names, freed: 0 },
  ],
])("an image %s stays", (_, given, expected) => {
  const { names, released, result } = planLeftovers([leave(env, given)], files, () => true);
  expect({ names, released, freed: result.freed }).toEqual(expected);
  expect(result.images).toEqual([]);
});

test("of several names of ours the last one takes the image along", () => {
  const names = ["localhost/xbuild-env:1", "localhost/xbuild-base:1"];
  const found = [leave({ ...env, names })];
  const one = planLeftovers(found, files, (_, name) => name === names[0]);
  expect(one.result).toEqual({ names: [names[0]], images: [], freed: 0 });
  expect(planLeftovers(found, files, () => true).result.images).toEqual([env.id]);
});

test("the layers below a working container stay", () => {
  const containers = [{ image: undefined, layer: "env" }];
  expect(planLeftovers(all, { ...files, containers }, () => true).result.freed).toBe(11_000);
});
