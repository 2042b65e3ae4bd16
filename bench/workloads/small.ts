import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measureInTurn, run } from "../measure.ts";
import type { Row } from "../report.ts";
import { baseImage, inRoom, xbuild, type Room } from "../room.ts";

/** I: three lines, nothing changed. What is measured is how fast each side starts and finds that out. */
export async function measureSmallFile(room: Room, rounds: number): Promise<Row[]> {
  const context = join(room.directory, "small");
  await mkdir(context);
  const step = "RUN cp /bin/busybox";
  await writeFile(
    join(context, "Containerfile"),
    `FROM ${baseImage}\n${step} /copy\nCMD ["/copy"]\n`,
  );
  await writeFile(
    join(context, "Containerfile.x"),
    `FROM ${baseImage}\nOUTPUT /layers\n${step} /copy && /layers/bin/layer add copy /copy\n`,
  );
  const file = join(context, "Containerfile");
  const stored = xbuild(room, "-t", "small", "--no-load", context);
  const loaded = xbuild(room, "-t", "small", context);
  const peer = inRoom(
    room,
    "buildah",
    "build",
    "--layers",
    "-t",
    "small-peer",
    "-f",
    file,
    context,
  );
  await run(loaded);
  await run(peer);
  const [store, load, theirs] = await measureInTurn(
    [
      { name: "ours, store", command: stored },
      { name: "ours, loaded", command: loaded },
      { name: "buildah", command: peer },
    ],
    rounds,
  );
  if (store === undefined || load === undefined) return [];
  const what = "three lines, nothing changed";
  return [
    { workload: "I", what: `${what}, in the store`, ours: store, peer: theirs, goal: "below 1 x" },
    { workload: "I", what: `${what}, loaded`, ours: load, peer: theirs, goal: "below 1 x" },
  ];
}
