import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measureInTurn, run } from "../measure.ts";
import type { Peers } from "../peers.ts";
import type { Row } from "../results.ts";
import { asPeer, baseImage, inRoom, xbuild, type Room } from "../room.ts";
import { renderSmall, renderSmallOurs } from "./containerfiles.ts";

const goals: Readonly<Record<string, string>> = {
  buildah: "below 1 x",
  "Node.js alone": "60 ms more",
};

/** I: three lines, nothing changed. What is measured is how fast each side starts and finds that out. */
export async function measureSmallFile(room: Room, peers: Peers, rounds: number): Promise<Row[]> {
  const context = join(room.directory, "small");
  await mkdir(context);
  const file = join(context, "Containerfile");
  await writeFile(file, renderSmall(baseImage));
  await writeFile(join(context, "Containerfile.kit"), renderSmall("base"));
  await writeFile(join(context, "Containerfile.x"), renderSmallOurs(baseImage));
  const build = ["buildah", "build", "--layers", "-t", "small-peer", "-f", file, context];
  const kit = peers.buildKit?.build({ context, file: "Containerfile.kit" });
  const sides = [
    { name: "ours, store", command: xbuild(room, "-t", "small", "--no-load", context) },
    { name: "ours, loaded", command: xbuild(room, "-t", "small", context) },
    // What no program in Node can be below.
    { name: "Node.js alone", command: inRoom(room, process.execPath, "-e", "0") },
    { name: "buildah", command: inRoom(asPeer(room), ...build) },
    ...peers.buildahs.map((one) => ({
      name: one.name,
      command: one.build("small-peer", file, context),
    })),
    ...(kit === undefined ? [] : [{ name: "BuildKit", command: kit }]),
  ];
  for (const { command } of sides.toReversed()) await run(command);
  const [store, load, ...others] = await measureInTurn(sides, rounds);
  if (store === undefined || load === undefined) return [];
  const what = "three lines, nothing changed";
  const rows = others.map((peer): Row => {
    const goal = goals[peer.name] ?? "";
    return { what: `${what}, in the store`, ours: store, peer, goal };
  });
  return [...rows, { what: `${what}, loaded`, ours: load, peer: others[1], goal: "below 1 x" }];
}
