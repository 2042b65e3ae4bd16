import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measureInTurn, medianOf, run, type Contender, type Measurement } from "../measure.ts";
import type { Peers } from "../peers.ts";
import type { Row } from "../results.ts";
import { baseImage, xbuild, type Room } from "../room.ts";
import { linkedName } from "./debian.ts";

const counts = [10, 100, 500] as const;
/** More than the default: an image may have 127 layers unless told otherwise. */
const maxLayers = 600;

type Kind = "nothing changed" | "one changed";

interface Measured {
  readonly count: number;
  readonly ours: Measurement;
  readonly linked: Measurement | undefined;
}

/** H: does the time grow with the number of layers, and no faster? */
export async function measureManyLayers(
  room: Room,
  { buildKit }: Peers,
  rounds: number,
): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of ["nothing changed", "one changed"] as const) {
    const measured: Measured[] = [];
    for (const count of counts) {
      const sides = await prepareSides(room, count, buildKit);
      measured.push(await measureCount(sides, { count, kind, rounds }));
    }
    const note = `${costOfLayer(measured).toFixed(2)} ms a layer more`;
    for (const { count, ours, linked } of measured) {
      const what = `${count} layers, ${kind}`;
      rows.push({ what, ours, peer: linked, goal: "under 2 ms a layer", note });
    }
  }
  return rows;
}

/** Milliseconds by which each layer between the least and the most makes a build longer. */
function costOfLayer(measured: readonly Measured[]): number {
  const [least, most] = [measured.at(0), measured.at(-1)];
  if (least === undefined || most === undefined) return Number.NaN;
  const more = medianOf(most.ours.seconds) - medianOf(least.ours.seconds);
  return (more * 1000) / (most.count - least.count);
}

interface Sides {
  readonly context: string;
  readonly contenders: readonly Contender[];
}

/** Both have built it. BuildKit is left out where it does not make so many layers. */
async function prepareSides(
  room: Room,
  count: number,
  buildKit: Peers["buildKit"],
): Promise<Sides> {
  const context = join(room.directory, `many-${count}`);
  const names = await writeLayers(context, count);
  const words = ["-t", `many-${count}`, "--no-load", `--max-layers=${maxLayers}`, context];
  const ours = { name: `ours, ${count}`, command: xbuild(room, ...words) };
  await run(ours.command);
  if (buildKit === undefined) return { context, contenders: [ours] };
  const file = "Containerfile.link";
  const copies = names.map((name) => `COPY --link l/${name} /\n`);
  await writeFile(join(context, file), ["FROM base\n", ...copies].join(""));
  const linked = { name: linkedName, command: buildKit.build({ context, file }) };
  const problem = await run(linked.command).then(() => undefined, String);
  if (problem === undefined) return { context, contenders: [ours, linked] };
  process.stderr.write(`    BuildKit was left out: ${problem}\n`);
  return { context, contenders: [ours] };
}

interface Case {
  readonly count: number;
  readonly kind: Kind;
  readonly rounds: number;
}

async function measureCount(
  { context, contenders }: Sides,
  { count, kind, rounds }: Case,
): Promise<Measured> {
  let change = 0;
  const prepare = async (): Promise<void> => {
    change += 1;
    if (kind === "one changed")
      await writeFile(join(context, "l/l005/file"), `${kind} ${change}\n`);
  };
  const [ours, linked] = await measureInTurn(contenders, rounds, { prepare });
  if (ours === undefined) throw new Error("nothing was measured");
  return { count, ours, linked };
}

/** Trees that one `cp` lays out: what is measured is our part, not a script's. @returns their names */
async function writeLayers(context: string, count: number): Promise<readonly string[]> {
  const names = Array.from({ length: count }, (_, index) => `l${String(index).padStart(3, "0")}`);
  for (const [index, name] of names.entries()) {
    const directory = join(context, "l", name);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "file"), `layer ${index}\n`);
  }
  await writeFile(
    join(context, "Containerfile.x"),
    `FROM ${baseImage}\nOUTPUT /layers\nRUN --mount=type=bind,target=/context cp -a /context/l /layers/output/layers\n`,
  );
  return names;
}
