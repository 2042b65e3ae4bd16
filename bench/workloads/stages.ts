import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measureInTurn, run, type Command } from "../measure.ts";
import type { Row } from "../report.ts";
import { baseImage, inRoom, resetRoom, xbuild, type Room } from "../room.ts";
import { withChanges } from "./change.ts";
import type { DebianBuilds } from "./debian.ts";

const waiting = { stages: 8, seconds: 2 } as const;
const parts = 30;

/** L: stages that wait, side by side and one after the other. */
export async function measureSideBySide(room: Room, rounds: number): Promise<Row[]> {
  const context = join(room.directory, "waiting");
  await mkdir(context);
  const names = Array.from({ length: waiting.stages }, (_, index) => `stage-${index}`);
  const steps = (name: string): string =>
    `OUTPUT /layers\nRUN sleep ${waiting.seconds} && echo ${name} >/${name} && /layers/bin/layer add ${name} /${name}\n`;
  await writeFile(join(context, "Containerfile.x"), renderStages(names, steps));
  const build = (jobs: number): Command =>
    xbuild(room, "-t", "waiting", "--no-load", "--no-cache", `--jobs=${jobs}`, context);
  const [together, alone] = await measureInTurn(
    [
      { name: `--jobs ${waiting.stages}`, command: build(waiting.stages) },
      { name: "--jobs 1", command: build(1) },
    ],
    rounds,
  );
  if (together === undefined) return [];
  const what = `${waiting.stages} stages of sleep ${waiting.seconds}: --jobs ${waiting.stages}, and --jobs 1`;
  return [{ workload: "L", what, ours: together, peer: alone, goal: "well under 0.5 x" }];
}

/** M: a stage for each of some packages, and an image of all; a file of one package changes. */
export async function measureChangedStage(
  { room, context, packages: all }: DebianBuilds,
  rounds: number,
): Promise<Row[]> {
  const packages = all.slice(0, parts);
  const { ours, peer } = await writeFiles(room, { context, packages });
  const prepare = (): Promise<void> => resetRoom(room);
  const [first, peerFirst] = await measureInTurn(
    [
      { name: "ours, first", prepare, command: ours },
      { name: "buildah, first", prepare, command: peer },
    ],
    rounds,
  );
  await run(ours);
  const [changed, peerChanged] = await withChanges({ context, packages }, (next) =>
    measureInTurn(
      [
        { name: "ours", prepare: next, command: ours },
        { name: "buildah", prepare: next, command: peer },
      ],
      rounds,
    ),
  );
  if (first === undefined || changed === undefined) return [];
  const row = (what: string, of: typeof first, against: typeof peerFirst, goal: string): Row => ({
    workload: "M",
    what: `${parts} stages, ${what}`,
    ours: of,
    peer: against,
    goal,
  });
  return [
    row("first build", first, peerFirst, ""),
    row("one changed", changed, peerChanged, "0.1 x"),
    row("one changed, and our first build", changed, first, "0.1 x"),
  ];
}

type Packages = Pick<DebianBuilds, "context" | "packages">;

/** The same stages on both sides, and a layer for each in the image. */
async function writeFiles(
  room: Room,
  { context, packages }: Packages,
): Promise<{ readonly ours: Command; readonly peer: Command }> {
  const [file, plain] = [join(room.directory, "stages.x"), join(room.directory, "stages")];
  await writeFile(file, renderStages(packages, addPart));
  const stages = packages.map((name, index) => `FROM ${baseImage} AS part-${index}\n${copy(name)}`);
  const copies = packages.map((_, index) => `COPY --from=part-${index} /part/ /\n`);
  await writeFile(plain, [...stages, `FROM ${baseImage}\n`, ...copies].join(""));
  const build = ["buildah", "build", "--layers", "-t", "stages-peer", "-f", plain, context];
  return {
    ours: xbuild(room, "-t", "stages", "--no-load", "-f", file, context),
    peer: inRoom(room, ...build),
  };
}

function copy(name: string): string {
  return `COPY pkgs/${name} /part/\n`;
}

function addPart(name: string): string {
  return `OUTPUT /layers\n${copy(name)}RUN /layers/bin/layer add ${name} -C /part .\n`;
}

/** A stage with OUTPUT for each, and a last one of them all. */
function renderStages(names: readonly string[], steps: (name: string) => string): string {
  const stages = names.map((name, index) => `FROM ${baseImage} AS part-${index}\n${steps(name)}`);
  const from = names.map((_, index) => `--from=part-${index}`).join(" ");
  return `${stages.join("")}FROM ${baseImage}\nOUTPUT ${from} /layers\n`;
}
