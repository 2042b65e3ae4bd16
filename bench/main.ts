import { execFileSync } from "node:child_process";
import { cpus, release, totalmem } from "node:os";
import { watchBusy } from "./busy.ts";
import { writeDocs } from "./docs.ts";
import { renderSize } from "./format.ts";
import { withPeers } from "./peers.ts";
import {
  addResults,
  isCollecting,
  mergeResults,
  readResults,
  type Result,
  type Results,
} from "./results.ts";
import { closeRoom, openRoom } from "./room.ts";
import { renderResults } from "./table.ts";
import { chooseWorkloads, createBench, type Bench, type Workload } from "./workloads.ts";

/** Runs the workloads that are named, or all but the large, or only shows what a run has stored. */
async function main([first, ...others]: readonly string[]): Promise<void> {
  if (first === "--render") {
    await writeDocs(mergeResults(await Promise.all(others.map(readResults))));
    return;
  }
  const words = first === undefined ? [] : [first, ...others];
  const file = `bench/results/${new Date().toISOString().slice(0, 10)}.json`;
  const results = await measureAll(chooseWorkloads(words), file);
  console.log(renderResults(results));
  console.log(`Every figure is in ${file}.`);
  // A glance at some leaves the page as it is.
  if (words.length === 0) await writeDocs(await readResults(file));
  else console.log(`npm run bench -- --render ${file} puts them into the docs.`);
}

/** What has been measured is in the file, whatever becomes of the next. */
async function measureAll(chosen: readonly Workload[], file: string): Promise<Results> {
  const room = await openRoom(".cache/bench");
  try {
    const isBuilding = chosen.some(({ name }) => !isCollecting(name));
    return await withPeers(room, { isBuilding }, async (peers) => {
      const bench = createBench(room, peers);
      const place = { machine: describeMachine(), programs: peers.versions };
      const all: Result[] = [];
      for (const one of chosen) {
        const results = await attempt(one, bench);
        all.push(...results);
        await addResults(file, { ...place, results });
      }
      return { ...place, results: all };
    });
  } finally {
    await closeRoom(room);
  }
}

/** One that fails is told and left out: this is no test. */
async function attempt(workload: Workload, bench: Bench): Promise<readonly Result[]> {
  const { name, letter, title, measure } = workload;
  process.stderr.write(`  ${letter}: ${title}\n`);
  const look = watchBusy();
  try {
    const rows = await measure(bench);
    const at = new Date().toISOString();
    return [{ name, letter, title, at, commit: describeCommit(), busy: look(), rows }];
  } catch (error) {
    process.stderr.write(`  ${title} was not measured: ${String(error)}\n`);
    return [];
  }
}

function describeMachine(): Results["machine"] {
  return {
    CPU: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory: renderSize(totalmem()),
    kernel: release(),
    node: process.version,
  };
}

function describeCommit(): string {
  try {
    return execFileSync("git", ["describe", "--always", "--dirty"], { encoding: "utf8" }).trim();
  } catch {
    return "";
  }
}

await main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
