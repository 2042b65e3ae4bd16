import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { run } from "../measure.ts";
import { inRoom } from "../room.ts";
import type { Row } from "../results.ts";
import { compareCollecting, packGoal, packWhole, type Source } from "./collect.ts";

/** Bytes. */
const [oneLayer, manyLayers] = [10e9, { count: 500, size: 20e6 }] as const;

/** O: a single file of the packages' bytes, over and over: they come back far beyond what gzip remembers. */
export async function measureOneLayer(source: Source, scale: number): Promise<Row[]> {
  const fill = `mkdir "$1/one" && repeat | head -c ${oneLayer * scale} >"$1/one/file"`;
  return measureFilled(source, `one layer of ${scale * 10} GB`, fill);
}

/** P: layers of one file each, no two of them equal. */
export async function measureLargeLayers(source: Source, scale: number): Promise<Row[]> {
  const { count, size } = manyLayers;
  const layers = Math.round(count * scale);
  const split = `repeat | head -c ${layers * size} | split --bytes=${size} --suffix-length=4 - "$1/"`;
  const move = `mkdir "$one.d" && { echo "$one"; cat "$one"; } >"$one.d/file" && rm "$one"`;
  const fill = `${split} && for one in "$1"/*; do ${move} || exit; done`;
  return measureFilled(source, `${layers} layers of 20 MB`, fill);
}

/** Once: so much stays in no cache, and takes minutes. */
async function measureFilled(
  { room, packages }: Source,
  what: string,
  fill: string,
): Promise<Row[]> {
  const output = join(room.directory, "large");
  const layers = join(output, "layers");
  await mkdir(layers, { recursive: true });
  const file = join(room.directory, "packages.tar");
  await run(inRoom(room, "tar", "-C", packages, "-cf", file, "."));
  // Ends when nobody reads any more.
  const script = `packages=$2; repeat() { while cat "$packages" 2>/dev/null; do :; done; }; ${fill}`;
  try {
    await run(inRoom(room, "sh", "-c", script, "sh", layers, file));
    const peer = await packWhole(room, output);
    return await compareCollecting(room, output, { what, goal: packGoal, peer, rounds: 1 });
  } finally {
    await rm(output, { recursive: true, force: true });
    await rm(file, { force: true });
  }
}
