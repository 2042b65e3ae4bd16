import { accountSteps, type Planned } from "./account.ts";
import { nameUnit, type Plan, type Planner, type Series } from "./model.ts";
import { boundSteps } from "./planners/patterns.ts";
import { listPlanners } from "./planners/planners.ts";
import type { Row, SeriesResult } from "./results.ts";

/** What is to be run. */
export interface Choice {
  /** The most layers of a plan, each a table. */
  readonly limits: readonly number[];
  /** The planners that are asked for, by their names; where none is, all but the slow ones. */
  readonly names: readonly string[] | undefined;
}

/** Lets the planners that are wanted plan each release of a series. Errors: a plan that is none, and whose it is. */
export async function runSeries(series: Series, { limits, names }: Choice): Promise<SeriesResult> {
  const planners = listPlanners(series).filter(({ planner, isSlow }) =>
    names === undefined ? !isSlow : names.includes(planner.name),
  );
  const rows: Row[] = [];
  for (const most of limits) {
    for (const { planner, role } of planners) {
      const planned = await planAll(series, planner, most);
      rows.push({ planner: planner.name, role, most, steps: account(planner, planned, most) });
    }
  }
  const { name, title, about, releases } = series;
  return {
    name,
    title,
    about,
    dates: releases.map(({ date }) => date),
    units: new Set(releases.at(-1)?.units.map(nameUnit)).size,
    bound: boundSteps(releases),
    rows,
  };
}

function account(planner: Planner, planned: readonly Planned[], most: number): Row["steps"] {
  try {
    return accountSteps(planned, most);
  } catch (error) {
    throw new Error(`${planner.name} at ${most} layers: ${String(error)}`, { cause: error });
  }
}

async function planAll(
  { releases }: Series,
  planner: Planner,
  most: number,
): Promise<readonly Planned[]> {
  const planned: Planned[] = [];
  const plans: Plan[] = [];
  for (const [at, release] of releases.entries()) {
    const past = { releases: releases.slice(0, at + 1), plans: plans.slice() };
    const start = performance.now();
    const plan = await planner.plan(past, most);
    planned.push({ release, plan, seconds: (performance.now() - start) / 1000 });
    plans.push(plan);
  }
  return planned;
}
