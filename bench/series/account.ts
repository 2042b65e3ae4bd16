import { nameUnit, type Plan, type Release, type Unit } from "./model.ts";

/** What a step from a release to the next costs, in bytes unless something else is said. */
export interface Step {
  /** Of the release that the step leads to: `2026-03-14`. */
  readonly date: string;
  /** Compressed bytes of the layers that the image before has not: those to push, and those to pull. */
  readonly pushed: number;
  /** Uncompressed bytes of the layers from the lowest on where the images differ: a storage knows a layer by all below. */
  readonly unpacked: number;
  /** Compressed bytes of the whole image. */
  readonly packed: number;
  /** How many the image has, and how many of them the image before has, too. */
  readonly layers: number;
  readonly kept: number;
  /** What planning took. */
  readonly seconds: number;
}

export interface Planned {
  readonly release: Release;
  readonly plan: Plan;
  readonly seconds: number;
}

interface Layer {
  /** What is in it, and in what version: equal for equal bytes. */
  readonly content: string;
  readonly packed: number;
  readonly size: number;
}

/** A step for each release but the first. Errors: those of `checkPlan`. */
export function accountSteps(planned: readonly Planned[], most: number): readonly Step[] {
  const images = planned.map(({ release, plan }) => {
    checkPlan(release, plan, most);
    return describeLayers(release, plan);
  });
  return planned.slice(1).map(({ release, seconds }, at) => {
    const cost = compareImages(images[at] ?? [], images[at + 1] ?? []);
    return Object.assign(cost, { date: release.date, seconds });
  });
}

function compareImages(
  before: readonly Layer[],
  after: readonly Layer[],
): Omit<Step, "date" | "seconds"> {
  const known = new Set(before.map(({ content }) => content));
  const [fresh, all] = [after.filter(({ content }) => !known.has(content)), after];
  const differs = after.findIndex(({ content }, at) => content !== before[at]?.content);
  return {
    pushed: sumBytes(fresh, "packed"),
    unpacked: differs === -1 ? 0 : sumBytes(after.slice(differs), "size"),
    packed: sumBytes(all, "packed"),
    layers: all.length,
    kept: all.length - fresh.length,
  };
}

function sumBytes(layers: readonly Layer[], of: "packed" | "size"): number {
  return layers.reduce((sum, layer) => sum + layer[of], 0);
}

function describeLayers({ units }: Release, plan: Plan): readonly Layer[] {
  const byName = new Map(units.map((unit) => [nameUnit(unit), unit]));
  return plan.map((names) => {
    const members = names.flatMap((name) => byName.get(name) ?? []);
    return {
      content: members.map(nameContent).sort().join("\n"),
      packed: members.reduce((sum, { packed }) => sum + packed, 0),
      size: members.reduce((sum, { size }) => sum + size, 0),
    };
  });
}

function nameContent(unit: Unit): string {
  return `${nameUnit(unit)} ${unit.version}`;
}

/**
 * Errors: where the plan has more layers than `most`, an empty one, a unit twice or none of the release's, or one that the
 * release has not.
 */
export function checkPlan({ date, units }: Release, plan: Plan, most: number): void {
  const refuse = (what: string): never => {
    throw new Error(`the plan of the release of ${date} ${what}`);
  };
  if (plan.length > most) refuse(`has ${plan.length} layers, which is more than ${most}`);
  if (plan.some((names) => names.length === 0)) refuse("has an empty layer");
  const left = new Set(units.map(nameUnit));
  if (left.size < units.length) refuse("is of units of which two have one name");
  for (const name of plan.flat()) {
    if (!left.delete(name)) refuse(`has ${name} twice, or the release has it not`);
  }
  const [lost] = left;
  if (lost !== undefined) refuse(`lacks ${lost}`);
}
