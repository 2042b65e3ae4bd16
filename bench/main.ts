import { mkdir, writeFile } from "node:fs/promises";
import { cpus, release, totalmem } from "node:os";
import { join } from "node:path";
import { withBuildKit } from "./buildkit.ts";
import { renderJson, renderTable, type Row } from "./report.ts";
import { closeRoom, openRoom, type Room } from "./room.ts";
import { measureReadyBlobs, measureSplit } from "./workloads/collect.ts";
import { measureContext } from "./workloads/context.ts";
import {
  measureFirstBuild,
  measureNothingChanged,
  measureOneChanged,
  prepareDebian,
  type DebianBuilds,
} from "./workloads/debian.ts";
import { measureFreshMachine } from "./workloads/fresh.ts";
import { measureManyLayers } from "./workloads/many.ts";
import { measurePushed } from "./workloads/pushed.ts";
import { measureRebase } from "./workloads/rebased.ts";
import { measureSmallFile } from "./workloads/small.ts";
import { measureChangedStage, measureSideBySide } from "./workloads/stages.ts";

/** Rounds of a workload that is short, and of one that is long. */
const [shortRounds, longRounds] = [Number(process.env["XBUILD_BENCH_ROUNDS"] ?? 7), 3];
/** Of the sizes of F, G and N; for a glance in between. */
const scale = Number(process.env["XBUILD_BENCH_SCALE"] ?? 1);

type Workload = (room: Room, debian: () => Promise<DebianBuilds>) => Promise<Row[]>;

/** In the order of their running: what is kept from one to the next makes no difference. */
const workloads: Readonly<Record<string, Workload>> = {
  I: (room) => measureSmallFile(room, shortRounds),
  A: async (_, debian) => measureNothingChanged(await debian(), longRounds),
  B: async (_, debian) => measureOneChanged(await debian(), longRounds),
  C: async (_, debian) => measurePushed(await debian(), longRounds),
  D: async (_, debian) => measureFirstBuild(await debian(), longRounds),
  J: async (_, debian) => measureRebase(await debian(), longRounds),
  E: async (_, debian) => measureFreshMachine(await debian(), longRounds),
  L: (room) => measureSideBySide(room, longRounds),
  M: async (_, debian) => measureChangedStage(await debian(), longRounds),
  H: (room) => measureManyLayers(room, 5),
  F: async (room, debian) => measureSplit(room, await packagesOf(debian), scale, longRounds),
  N: (room) => measureContext(room, scale, longRounds),
  G: async (room, debian) => measureReadyBlobs(room, await packagesOf(debian), scale, longRounds),
};

async function packagesOf(debian: () => Promise<DebianBuilds>): Promise<string> {
  return join((await debian()).context, "pkgs");
}

/** Runs the workloads that are named, or all. One that fails is told and left out: this is no test. */
async function main(names: readonly string[]): Promise<void> {
  const room = await openRoom(".cache/bench");
  const rows: Row[] = [];
  try {
    const isPeer = names.length === 0 || names.some((name) => ["A", "B", "D"].includes(name));
    await withBuildKit(room, isPeer, async (buildKit) => {
      let prepared: Promise<DebianBuilds> | undefined;
      const debian = (): Promise<DebianBuilds> => (prepared ??= prepareDebian(room, buildKit));
      for (const [name, measure] of Object.entries(workloads)) {
        if (names.length === 0 || names.includes(name))
          rows.push(...(await attempt(name, () => measure(room, debian))));
      }
    });
  } finally {
    await closeRoom(room);
  }
  rows.sort((a, b) => (a.workload < b.workload ? -1 : a.workload > b.workload ? 1 : 0));
  console.log(renderTable(rows));
  await mkdir("bench/results", { recursive: true });
  const file = `bench/results/${new Date().toISOString().slice(0, 10)}.json`;
  await writeFile(file, renderJson(rows, describeMachine()));
  console.log(`Every figure is in ${file}.`);
}

async function attempt(name: string, measure: () => Promise<Row[]>): Promise<Row[]> {
  process.stderr.write(`  ${name}\n`);
  try {
    return await measure();
  } catch (error) {
    process.stderr.write(`  ${name} was not measured: ${String(error)}\n`);
    return [];
  }
}

function describeMachine(): unknown {
  return {
    cpu: cpus()[0]?.model,
    cores: cpus().length,
    memory: totalmem(),
    kernel: release(),
    node: process.version,
  };
}

await main(process.argv.slice(2));
