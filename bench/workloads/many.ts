import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measureInTurn, medianOf, run, type Measurement } from "../measure.ts";
import type { Row } from "../report.ts";
import { baseImage, xbuild, type Room } from "../room.ts";

const counts = [10, 100, 500] as const;
/** More than the default: an image may have 127 layers unless told otherwise. */
const maxLayers = 600;

/** H: does the time grow with the number of layers, and no faster? */
export async function measureManyLayers(room: Room, rounds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const kind of ["nothing changed", "one changed"] as const) {
    const measured: Measurement[] = [];
    for (const count of counts) measured.push(await measureCount(room, count, kind, rounds));
    const added = costOfLayer(measured);
    for (const [index, ours] of measured.entries()) {
      rows.push({
        workload: "H",
        what: `${counts[index]} layers, ${kind}`,
        ours,
        peer: undefined,
        goal: "under 2 ms a layer",
        note: `${added.toFixed(2)} ms a layer more`,
      });
    }
  }
  return rows;
}

/** Milliseconds by which each layer between the least and the most makes a build longer. */
function costOfLayer(measured: readonly Measurement[]): number {
  const [least, most] = [measured.at(0), measured.at(-1)];
  if (least === undefined || most === undefined) return Number.NaN;
  const more = medianOf(most.seconds) - medianOf(least.seconds);
  return (more * 1000) / ((counts.at(-1) ?? 0) - counts[0]);
}

async function measureCount(
  room: Room,
  count: number,
  kind: "nothing changed" | "one changed",
  rounds: number,
): Promise<Measurement> {
  const context = join(room.directory, `many-${count}`);
  await writeLayers(context, count);
  const name = `many-${count}`;
  const command = xbuild(room, "-t", name, "--no-load", `--max-layers=${maxLayers}`, context);
  await run(command);
  let change = 0;
  const prepare = async (): Promise<void> => {
    change += 1;
    if (kind === "one changed")
      await writeFile(join(context, "l/l005/file"), `${kind} ${change}\n`);
  };
  const [ours] = await measureInTurn(
    [{ name: `ours, ${count} ${kind}`, prepare, command }],
    rounds,
  );
  if (ours === undefined) throw new Error("nothing was measured");
  return ours;
}

/** Trees that one `cp` lays out: what is measured is our part, not a script's. */
async function writeLayers(context: string, count: number): Promise<void> {
  for (let index = 0; index < count; index += 1) {
    const directory = join(context, "l", `l${String(index).padStart(3, "0")}`);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "file"), `layer ${index}\n`);
  }
  await writeFile(
    join(context, "Containerfile.x"),
    `FROM ${baseImage}\nOUTPUT /layers\nRUN --mount=type=bind,target=/context cp -a /context/l /layers/output/layers\n`,
  );
}
