import { join } from "node:path";
import type { Peers } from "./peers.ts";
import type { Row } from "./results.ts";
import type { Room } from "./room.ts";
import { measurePackages, measureReadyBlobs } from "./workloads/collect.ts";
import { measureLargeLayers, measureOneLayer } from "./workloads/collect-large.ts";
import { measureContext } from "./workloads/context.ts";
import {
  measureFirstBuild,
  measureNothingChanged,
  measureOneChanged,
  prepareDebian,
  type DebianBuilds,
} from "./workloads/debian.ts";
import { measureFreshMachine } from "./workloads/fresh.ts";
import {
  measureEngineChanged,
  measureEngineFirst,
  measureEngineFresh,
  measureEngineUnchanged,
} from "./workloads/engine.ts";
import { measureFrontendFresh, measureFrontendUnchanged } from "./workloads/frontend.ts";
import { measureManyLayers } from "./workloads/many.ts";
import { measurePushed } from "./workloads/pushed.ts";
import { measureRebase } from "./workloads/rebased.ts";
import { measureSmallFile } from "./workloads/small.ts";
import { measureChangedStage, measureSideBySide } from "./workloads/stages.ts";
import { measureTogether } from "./workloads/together.ts";

/** What the workloads of a run have in common. */
export interface Bench {
  readonly room: Room;
  readonly peers: Peers;
  /** Made once, when the first workload asks for it. */
  readonly debian: () => Promise<DebianBuilds>;
}

export interface Workload {
  /** A word for it, that stays. */
  readonly name: string;
  readonly letter: string;
  readonly title: string;
  /** Runs only where it is named: it takes long, and much room on the disk. */
  readonly isLarge?: boolean;
  readonly measure: (bench: Bench) => Promise<Row[]>;
}

/** Rounds of a workload that is short, and of one that is long. */
const shortRounds = readNumber("XBUILD_BENCH_ROUNDS", 7);
const longRounds = readNumber("XBUILD_BENCH_ROUNDS", 3);
/** Of the sizes of what is collected alone; for a glance in between. */
const scale = readNumber("XBUILD_BENCH_SCALE", 1);

function readNumber(variable: string, otherwise: number): number {
  return Number(process.env[variable] ?? otherwise);
}

/** In the order of their running: what is kept from one to the next makes no difference. */
export const workloads: readonly Workload[] = [
  {
    name: "small",
    letter: "I",
    title: "three lines, nothing changed",
    measure: ({ room, peers }) => measureSmallFile(room, peers, shortRounds),
  },
  {
    name: "unchanged",
    letter: "A",
    title: "nothing changed",
    measure: async ({ debian }) => measureNothingChanged(await debian(), longRounds),
  },
  {
    name: "changed",
    letter: "B",
    title: "one of 96 changed",
    measure: async ({ debian }) => measureOneChanged(await debian(), longRounds),
  },
  {
    name: "pushed",
    letter: "C",
    title: "one of 96 changed, pushed",
    measure: async ({ debian }) => measurePushed(await debian(), longRounds),
  },
  {
    name: "first",
    letter: "D",
    title: "first build",
    measure: async ({ debian }) => measureFirstBuild(await debian(), longRounds),
  },
  {
    name: "rebase",
    letter: "J",
    title: "base replaced",
    measure: async ({ debian }) => measureRebase(await debian(), longRounds),
  },
  {
    name: "fresh",
    letter: "E",
    title: "fresh machine",
    measure: async ({ debian }) => measureFreshMachine(await debian(), longRounds),
  },
  {
    name: "waiting",
    letter: "L",
    title: "stages side by side",
    measure: ({ room, peers }) => measureSideBySide(room, peers, longRounds),
  },
  {
    name: "stages",
    letter: "M",
    title: "30 stages",
    measure: async ({ debian }) => measureChangedStage(await debian(), longRounds),
  },
  {
    name: "layers",
    letter: "H",
    title: "many small layers",
    measure: ({ room, peers }) => measureManyLayers(room, peers, longRounds),
  },
  {
    name: "together",
    letter: "N",
    title: "many builds at once",
    measure: async ({ debian }) => measureTogether(await debian(), longRounds),
  },
  {
    name: "engine-unchanged",
    letter: "R",
    title: "by BuildKit, nothing changed",
    measure: async ({ debian }) => measureEngineUnchanged(await debian(), longRounds),
  },
  {
    name: "engine-changed",
    letter: "S",
    title: "by BuildKit, one package changed",
    measure: async ({ debian }) => measureEngineChanged(await debian(), longRounds),
  },
  {
    name: "engine-first",
    letter: "T",
    title: "by BuildKit, first build",
    measure: async ({ debian }) => measureEngineFirst(await debian(), longRounds),
  },
  {
    name: "engine-fresh",
    letter: "U",
    title: "by BuildKit, fresh machine",
    measure: async ({ debian }) => measureEngineFresh(await debian(), longRounds),
  },
  {
    name: "frontend-fresh",
    letter: "V",
    title: "through the frontend, fresh daemon",
    measure: ({ room, peers }) => measureFrontendFresh(room, peers, longRounds),
  },
  {
    name: "frontend-unchanged",
    letter: "W",
    title: "through the frontend, nothing changed",
    measure: ({ room, peers }) => measureFrontendUnchanged(room, peers, shortRounds),
  },
  {
    name: "context",
    letter: "Q",
    title: "a context of many files",
    measure: ({ room }) => measureContext(room, scale, longRounds),
  },
  {
    name: "collect-packages",
    letter: "F",
    title: "package trees collected",
    measure: async (bench) =>
      measurePackages({ room: bench.room, packages: await packagesOf(bench) }, scale, longRounds),
  },
  {
    name: "collect-blobs",
    letter: "G",
    title: "ready blobs",
    measure: async (bench) =>
      measureReadyBlobs({ room: bench.room, packages: await packagesOf(bench) }, scale, longRounds),
  },
  {
    name: "collect-one",
    letter: "O",
    title: "one layer of 10 GB",
    isLarge: true,
    measure: async (bench) =>
      measureOneLayer({ room: bench.room, packages: await packagesOf(bench) }, scale),
  },
  {
    name: "collect-many",
    letter: "P",
    title: "500 layers of 20 MB",
    isLarge: true,
    measure: async (bench) =>
      measureLargeLayers({ room: bench.room, packages: await packagesOf(bench) }, scale),
  },
];

/** Lets the workloads share what is dear to make. */
export function createBench(room: Room, peers: Peers): Bench {
  let prepared: Promise<DebianBuilds> | undefined;
  return { room, peers, debian: () => (prepared ??= prepareDebian(room, peers)) };
}

async function packagesOf({ debian }: Bench): Promise<string> {
  return join((await debian()).context, "pkgs");
}

/**
 * The workloads that are meant: by name, letter or title, or by a part of a title. Without words all but the large.
 * @throws where a word means none
 */
export function chooseWorkloads(words: readonly string[]): readonly Workload[] {
  if (words.length === 0) return workloads.filter(({ isLarge }) => isLarge !== true);
  const chosen = new Set(words.flatMap(findWorkloads));
  return workloads.filter((one) => chosen.has(one));
}

function findWorkloads(word: string): readonly Workload[] {
  const exact = workloads.filter(({ name, letter, title }) => [name, letter, title].includes(word));
  const found = exact.length > 0 ? exact : workloads.filter(({ title }) => title.includes(word));
  if (found.length > 0) return found;
  const known = workloads.map(({ name, letter, title }) => `  ${letter}  ${name}: ${title}`);
  throw new Error(`there is no workload "${word}". There are\n${known.join("\n")}`);
}
