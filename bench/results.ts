import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Busy } from "./busy.ts";
import type { Measurement } from "./measure.ts";

/** One thing that was measured, beside another that does the same. */
export interface Row {
  readonly what: string;
  readonly ours: Measurement;
  readonly peer: Measurement | undefined;
  /** What the ratio, or the row, is to come to: with a number of `x` first where it is a ratio. */
  readonly goal: string;
  readonly note?: string;
}

/** What a workload gave, and what the machine was like. */
export interface Result {
  /** `changed`. */
  readonly name: string;
  /** `B`. */
  readonly letter: string;
  /** `one of 96 changed`. */
  readonly title: string;
  /** When it had ended, ISO 8601. */
  readonly at: string;
  /** What git calls the sources. */
  readonly commit: string;
  readonly busy: Busy;
  readonly rows: readonly Row[];
}

/** Whether a workload collects layers, and builds nothing. */
export function isCollecting(name: string): boolean {
  return name.startsWith("collect-");
}

export interface Results {
  readonly machine: Readonly<Record<string, string | number>>;
  /** Versions of the peers, and ours. */
  readonly programs: Readonly<Record<string, string>>;
  readonly results: readonly Result[];
}

/** @throws where there is no such file, or it is another one */
export async function readResults(file: string): Promise<Results> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program wrote it
  const results = JSON.parse(await readFile(file, "utf8")) as Partial<Results>;
  if (!Array.isArray(results.results) || results.machine === undefined)
    throw new Error(`${file} has no results of this program`);
  return { machine: results.machine, programs: results.programs ?? {}, results: results.results };
}

/** Of each workload the last: what a later one has measured again stands in place of what was before. */
export function mergeResults(all: readonly Results[]): Results {
  const byLetter = new Map(all.flatMap(({ results }) => results.map((one) => [one.letter, one])));
  const last = all.at(-1);
  return {
    machine: last?.machine ?? {},
    programs: Object.assign({}, ...all.map(({ programs }) => programs)),
    results: [...byLetter.values()].sort((a, b) => (a.letter < b.letter ? -1 : 1)),
  };
}

/** Writes the results beside those of other workloads that the file has. */
export async function addResults(file: string, results: Results): Promise<Results> {
  const before = await readResults(file).then(
    (found) => [found],
    () => [],
  );
  const merged = mergeResults([...before, results]);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${JSON.stringify(merged, undefined, 1)}\n`);
  return merged;
}
