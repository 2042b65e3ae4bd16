import { mkdir, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { measureInTurn, run, type Command } from "../measure.ts";
import { plainHttp, pushImage, pushOurs, pushPeer, withRegistry } from "../registry.ts";
import type { Row } from "../results.ts";
import { baseImage, inRoom, xbuild, type Room } from "../room.ts";
import { renderLinked, renderOurs, renderPeer } from "./containerfiles.ts";
import { linkedName, type DebianBuilds } from "./debian.ts";

/** J: the base has a fix. The layers are put onto it in the registry, or built on it anew. */
export async function measureRebase(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  const { room } = builds;
  return withRegistry(room, async ({ host, meter }) => {
    await pushImage(room, `${host}/base:1`);
    await pushFirst(builds, host);
    const prepare = (): Promise<void> => pushNewBase(room, `${host}/base:2`);
    const sides = [
      { name: "ours, rebase", command: rebaseOurs(room, host) },
      ...(await listRebuilds(builds, host, "2")),
    ];
    const [own, ...others] = await measureInTurn(sides, rounds, { meter, prepare });
    if (own === undefined) return [];
    const [what, goal] = ["base replaced under 96 layers", "manifest and config only"];
    return others.map((peer, index) => ({ what, ours: own, peer, goal: index === 0 ? goal : "" }));
  });
}

/** The image on the old base, on all sides; whoever rebuilds has that in its cache. */
async function pushFirst(builds: DebianBuilds, host: string): Promise<void> {
  const { room, context } = builds;
  const [base, file] = [`${host}/base:1`, join(room.directory, "rebased.x")];
  await writeFile(file, renderOurs(base, [`--from=${base}`]));
  await run(pushOurs(room, `${host}/app:1`, "-f", file, context));
  for (const { command } of await listRebuilds(builds, host, "1")) await run(command);
}

interface Rebuild {
  readonly name: string;
  readonly command: Command;
}

/** Who builds on the new base, and pushes. BuildKit's layers do not stand on it. */
async function listRebuilds(
  builds: DebianBuilds,
  host: string,
  base: string,
): Promise<readonly Rebuild[]> {
  const { room, context, packages, peers } = builds;
  const peer = { name: "buildah, rebuild", command: await rebuildPeer(builds, host, base) };
  if (peers.buildKit === undefined) return [peer];
  const file = join(room.directory, `linked-${base}`);
  await writeFile(file, renderLinked(`${host}/base:${base}`, packages));
  const command = peers.buildKit.build({ context, file, push: `${host}/linked:${base}` });
  return [peer, { name: `${linkedName}, rebuild`, command }];
}

async function rebuildPeer(
  { room, context, packages }: DebianBuilds,
  host: string,
  base: string,
): Promise<Command> {
  const file = join(room.directory, `rebuilt-${base}`);
  await writeFile(file, renderPeer(`${host}/base:${base}`, packages));
  return pushPeer(room, `${host}/peer:${base}`, "-f", file, context);
}

/** The result has a name of its own, so that every round starts from the same image. */
function rebaseOurs(room: Room, host: string): Command {
  const bases = ["--onto", `${host}/base:2`, "--from", `${host}/base:1`];
  return xbuild(
    room,
    "rebase",
    `docker://${host}/app:1`,
    ...bases,
    "-t",
    `${host}/app:2`,
    plainHttp,
  );
}

/** The base with another file; nobody's storage has it before it is pulled. */
async function pushNewBase(room: Room, target: string): Promise<void> {
  const directory = join(room.directory, "new-base");
  await mkdir(directory, { recursive: true });
  await writeFile(join(directory, "fix"), `fix ${randomUUID()}\n`);
  await writeFile(join(directory, "Containerfile"), `FROM ${baseImage}\nCOPY fix /etc/fix\n`);
  const name = "localhost/new-base";
  await run(inRoom(room, "buildah", "build", "--quiet", "--tag", name, directory));
  await pushImage(room, target, name);
  await run(inRoom(room, "buildah", "rmi", name));
}
