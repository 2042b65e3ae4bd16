import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measureInTurn, run, type Command, type Contender, type Measurement } from "../measure.ts";
import type { Peers } from "../peers.ts";
import type { Row } from "../results.ts";
import { asPeer, baseImage, inRoom, resetRoom, xbuild, type Room } from "../room.ts";
import { withChanges } from "./change.ts";
import { linkedName, type DebianBuilds } from "./debian.ts";

const waiting = { stages: 8, seconds: 2 } as const;
const parts = 30;

/** L: stages that wait, side by side and one after the other. BuildKit runs its own side by side anyway. */
export async function measureSideBySide(
  room: Room,
  { buildKit }: Peers,
  rounds: number,
): Promise<Row[]> {
  const context = join(room.directory, "waiting");
  await mkdir(context);
  const { stages, seconds } = waiting;
  const names = Array.from({ length: stages }, (_, index) => `stage-${index}`);
  const write = (name: string): string => `RUN sleep ${seconds} && echo ${name} >/${name}`;
  const steps = (name: string): string =>
    `OUTPUT /layers\n${write(name)} && /layers/bin/layer add ${name} /${name}\n`;
  await writeFile(join(context, "Containerfile.x"), renderStages(names, steps));
  const plain = names.map((name) => `FROM base AS ${name}\n${write(name)}\n`);
  const copies = names.map((name) => `COPY --link --from=${name} /${name} /${name}\n`);
  const file = "Containerfile.link";
  await writeFile(join(context, file), [...plain, "FROM base\n", ...copies].join(""));
  const build = (jobs: number): Command =>
    xbuild(room, "-t", "waiting", "--no-load", "--no-cache", `--jobs=${jobs}`, context);
  const linked = buildKit?.build({ context, file, words: ["--no-cache"] });
  const [together, ...others] = await measureInTurn(
    [
      { name: `--jobs ${stages}`, command: build(stages) },
      { name: "--jobs 1", command: build(1) },
      ...(linked === undefined ? [] : [{ name: linkedName, command: linked }]),
    ],
    rounds,
  );
  if (together === undefined) return [];
  const what = `${stages} stages of sleep ${seconds}, --jobs ${stages}`;
  return others.map((peer, index): Row => {
    const goal = index === 0 ? "0.5 x" : "";
    return { what, ours: together, peer, goal };
  });
}

/** M: a stage for each of some packages, and an image of all; a file of one package changes. */
export async function measureChangedStage(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  const { room, context } = builds;
  const packages = builds.packages.slice(0, parts);
  const sides = await prepareSides(builds, packages);
  const kit = builds.peers.buildKit;
  const prepare = async (): Promise<void> => {
    await resetRoom(room);
    if (kit !== undefined) await run(kit.prune);
  };
  const [first, ...peersFirst] = await measureInTurn(sides, rounds, { prepare });
  for (const { command } of sides) await run(command);
  const [changed, ...peersChanged] = await withChanges({ context, packages }, (next) =>
    measureInTurn(sides, rounds, { prepare: next }),
  );
  if (first === undefined || changed === undefined) return [];
  const [what, own] = [`${parts} stages, one changed`, { ...first, name: "our first build" }];
  return [
    ...peersFirst.map((peer) => row(`${parts} stages, first build`, first, { peer, goal: "" })),
    ...peersChanged.map((peer) =>
      row(what, changed, { peer, goal: peer.name === "buildah" ? "0.1 x" : "" }),
    ),
    row(what, changed, { peer: own, goal: "0.1 x" }),
  ];
}

function row(what: string, ours: Measurement, against: Pick<Row, "peer" | "goal">): Row {
  return { what, ours, ...against };
}

/** The same stages on all sides, and a layer for each in the image. */
async function prepareSides(
  { room, context, peers: { buildKit } }: DebianBuilds,
  packages: readonly string[],
): Promise<readonly Contender[]> {
  const file = join(room.directory, "stages.x");
  const plain = join(room.directory, "stages");
  const linked = join(room.directory, "stages.link");
  await writeFile(file, renderStages(packages, addPart));
  const render = (base: string, flag: string): string => {
    const stages = packages.map((name, index) => `FROM ${base} AS part-${index}\n${copy(name)}`);
    const copies = packages.map((_, index) => `COPY ${flag}--from=part-${index} /part/ /\n`);
    return [...stages, `FROM ${base}\n`, ...copies].join("");
  };
  await writeFile(plain, render(baseImage, ""));
  await writeFile(linked, render("base", "--link "));
  const build = ["buildah", "build", "--layers", "-t", "stages-peer", "-f", plain, context];
  const kit = buildKit?.build({ context, file: linked });
  return [
    { name: "ours", command: xbuild(room, "-t", "stages", "--no-load", "-f", file, context) },
    { name: "buildah", command: inRoom(asPeer(room), ...build) },
    ...(kit === undefined ? [] : [{ name: linkedName, command: kit }]),
  ];
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
