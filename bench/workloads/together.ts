import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { renderSeconds } from "../format.ts";
import { measureInTurn, run, type Command, type Measurement } from "../measure.ts";
import { findProgram } from "../programs.ts";
import type { Row } from "../results.ts";
import { baseImage, resetRoom, xbuild, type Room } from "../room.ts";
import { findWaits, traceLocks } from "../lock-waits.ts";
import { renderOurs } from "./containerfiles.ts";
import type { DebianBuilds } from "./debian.ts";

const builds = 8;

/** How the builds are started. */
const ways = {
  together:
    'for n in $(seq $count); do build $n & pids="$pids $!"; done; for p in $pids; do wait $p || exit; done',
  "one after another": "for n in $(seq $count); do build $n || exit; done",
} as const;
type Way = keyof typeof ways;

/**
 * N: first builds of one file with other packages each, of tags of their own, in one store and one storage. What is
 * compared is the processor time of all processes that they start and wait for, which bash tells to the millisecond.
 */
export async function measureTogether(debian: DebianBuilds, rounds: number): Promise<Row[]> {
  const { room } = debian;
  const directory = join(room.directory, "together");
  await writeContexts(debian, directory);
  const prepare = (): Promise<void> => resetRoom(room);
  const sides = (["together", "one after another"] as const).map((way) => ({
    name: way,
    prepare,
    command: buildAll(room, directory, way),
  }));
  const [together, alone] = await measureInTurn(sides, rounds);
  if (together === undefined || alone === undefined) return [];
  const [ours, peer] = [
    await withProcessorTime(together, directory),
    await withProcessorTime(alone, directory),
  ];
  const note = await describeWaits(room, directory);
  await rm(directory, { recursive: true });
  return [
    { what: `${builds} builds at once, processor time`, ours, peer, goal: "1.15 x", note },
    { what: `${builds} builds at once, wall clock`, ours: together, peer: alone, goal: "" },
  ];
}

/** A context for each, with an equal part of the packages. */
async function writeContexts(
  { context, packages }: DebianBuilds,
  directory: string,
): Promise<void> {
  const share = Math.ceil(packages.length / builds);
  for (let index = 0; index < builds; index += 1) {
    const own = join(directory, `context-${index + 1}`);
    await mkdir(join(own, "pkgs"), { recursive: true });
    await writeFile(join(own, "Containerfile.x"), renderOurs(baseImage));
    for (const name of packages.slice(index * share, (index + 1) * share))
      await run({
        argv: ["cp", "-al", join(context, "pkgs", name), join(own, "pkgs")],
        env: process.env,
      });
  }
}

function buildAll(room: Room, directory: string, way: Way): Command {
  const { argv, env } = xbuild(room);
  const script = [
    `directory=$1 count=$2 way=$3 pids=; shift 3; program=("$@")`,
    `build() { "\${program[@]}" build --no-load -t "together-$1" "$directory/context-$1"; }`,
    `TIMEFORMAT="%U %S"`,
    `{ time { ${ways[way]}; } 2>&3; } 3>&2 2>>"$directory/$way"`,
  ].join("\n");
  const words = [directory, String(builds), way, ...argv];
  return { argv: ["bash", "-c", script, "bash", ...words], env };
}

/** With the processor time of each round in place of the wall clock's: user's and system's, as bash has written them. */
async function withProcessorTime(
  measurement: Measurement,
  directory: string,
): Promise<Measurement> {
  const lines = (await readFile(join(directory, measurement.name), "latin1")).trim().split("\n");
  const seconds = lines.map((line) => line.split(" ").reduce((sum, one) => sum + Number(one), 0));
  return { ...measurement, seconds, cpu: seconds };
}

/** How long builds at once wait for our locks, in a round of its own: tracing makes everything slower. */
async function describeWaits(room: Room, directory: string): Promise<string> {
  if ((await findProgram("strace")) === undefined)
    return "no strace is on PATH: how long they wait for locks was not looked at";
  const file = join(directory, "trace");
  await resetRoom(room);
  await run(traceLocks(buildAll(room, directory, "together"), file));
  const waits = findWaits(await readFile(file, "latin1"));
  const texts = [...waits].map(
    ([lock, seconds]) =>
      `${lock} was asked for ${seconds.length} times, and waited for ${renderSeconds(Math.max(...seconds))} at most`,
  );
  return ["goal: none waits longer than 50 ms for a lock of ours", ...texts].join("; ");
}
