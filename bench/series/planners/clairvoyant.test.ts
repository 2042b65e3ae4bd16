import { describe, expect, test } from "vitest";
import { accountSteps } from "../account.ts";
import { nameUnit, type Plan, type Planner, type Series } from "../model.ts";
import { meanOf } from "../results.ts";
import { planAll, releaseOf, seriesOf, unitOf } from "../sample.ts";
import { orderLayers } from "./clairvoyant-order.ts";
import { partitionPatterns } from "./clairvoyant-partition.ts";
import { createClairvoyant } from "./clairvoyant.ts";
import { boundSteps, findPatterns } from "./patterns.ts";

/** Numbers that are the same each time: a generator by a seed. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Some units of random sizes that change at random; some come later, or go. */
function createSeries(seed: number, units: number, steps: number): Series {
  const random = createRandom(seed);
  const sizes = Array.from({ length: units }, () => Math.ceil(random() * 1000));
  const versions = sizes.map(() => 0);
  const releases = Array.from({ length: steps + 1 }, (_, at) => {
    for (const unit of versions.keys()) {
      if (random() < 0.35) versions[unit] = (versions[unit] ?? 0) + 1;
    }
    const present = sizes.map((size, unit) =>
      unitOf(`u${unit}`, { size, version: String(versions[unit]) }),
    );
    return releaseOf(`2026-01-0${at + 1}`, ...present.filter(() => random() > 0.1));
  });
  return seriesOf(...releases);
}

async function cost(planner: Planner, { releases }: Series, most: number) {
  const planned = [];
  for (const at of releases.keys()) {
    const plan = await planner.plan({ releases: releases.slice(0, at + 1), plans: [] }, most);
    const release = releases[at] ?? releaseOf("");
    planned.push({ release, plan, seconds: 0 });
  }
  const steps = accountSteps(planned, most);
  return {
    pushed: meanOf(steps.map((step) => step.pushed)),
    unpacked: meanOf(steps.map((step) => step.unpacked)),
  };
}

/** All ways to put things into at most `most` sets. */
function* listPartitions<T>(things: readonly T[], most: number): Generator<T[][]> {
  const [first, ...rest] = things;
  if (first === undefined) {
    yield [];
    return;
  }
  for (const sets of listPartitions(rest, most)) {
    for (const at of sets.keys()) {
      yield sets.map((set, index) => (index === at ? [first, ...set] : set));
    }
    if (sets.length < most) yield [[first], ...sets];
  }
}

function* listOrders<T>(things: readonly T[]): Generator<T[]> {
  if (things.length === 0) yield [];
  for (const [at, one] of things.entries()) {
    for (const rest of listOrders(things.toSpliced(at, 1))) yield [one, ...rest];
  }
}

/** A plan that stays, of what is there. */
function keep(plan: Plan): Planner {
  return {
    name: "kept",
    about: "",
    plan: ({ releases }) => {
      const present = new Set(releases.at(-1)?.units.map(nameUnit));
      return plan
        .map((names) => names.filter((name) => present.has(name)))
        .filter((names) => names.length > 0);
    },
  };
}

describe.each(Array.from({ length: 8 }, (_, seed) => seed + 1))("of random series %i", (seed) => {
  const series = createSeries(seed, 6, 5);
  const all = [...new Set(series.releases.flatMap(({ units }) => units.map(nameUnit)))];

  test.each([2, 3])("no fixed plan of %i layers pushes less", async (most) => {
    const own = await cost(createClairvoyant(series), series, most);
    let least = Infinity;
    for (const plan of listPartitions(all, most)) {
      least = Math.min(least, (await cost(keep(plan), series, most)).pushed);
    }
    expect(own.pushed).toBeCloseTo(least, 6);
  });

  test("no other order of its layers unpacks less", async () => {
    const layers = partitionPatterns(findPatterns(series.releases), 4);
    const toPlan = (some: typeof layers): Plan =>
      some.map((patterns) => patterns.flatMap(({ names }) => names));
    const own = await cost(keep(toPlan(orderLayers(layers))), series, 4);
    let least = Infinity;
    for (const order of listOrders(layers)) {
      least = Math.min(least, (await cost(keep(toPlan(order)), series, 4)).unpacked);
    }
    expect(own.unpacked).toBeCloseTo(least, 6);
  });

  test("with a layer for each it pushes what changed, alone", async () => {
    const own = await cost(createClairvoyant(series), series, 6);
    expect(own.pushed).toBeCloseTo(meanOf(boundSteps(series.releases)), 6);
  });
});

function unitsOf(version: string, also = version) {
  return [
    unitOf("a", { version }),
    unitOf("b", { version }),
    unitOf("c", { version: also }),
    unitOf("d"),
  ];
}

test("what changes at the same steps is together; what never changes lies lowest", async () => {
  const releases = [
    releaseOf("2026-01-01", ...unitsOf("1")),
    releaseOf("2026-01-02", ...unitsOf("1", "2")),
    releaseOf("2026-01-03", ...unitsOf("2", "3")),
  ];
  const plan = [["d"], ["a", "b"], ["c"]];
  expect(await planAll(createClairvoyant(seriesOf(...releases)), 20, ...releases)).toEqual([
    plan,
    plan,
    plan,
  ]);
  expect(boundSteps(releases)).toEqual([10, 30]);
});
