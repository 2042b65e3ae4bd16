import { mkdir, writeFile } from "node:fs/promises";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { measureInTurn, run, type Command } from "../measure.ts";
import { plainHttp, pushImage, pushOurs, pushPeer, withRegistry } from "../registry.ts";
import type { Row } from "../report.ts";
import { baseImage, inRoom, xbuild, type Room } from "../room.ts";
import { renderOurs, renderPeer } from "./containerfiles.ts";
import type { DebianBuilds } from "./debian.ts";

/** J: the base has a fix. The layers are put onto it in the registry, or built on it anew. */
export async function measureRebase(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  const { room } = builds;
  return withRegistry(room, async ({ host, meter }) => {
    await pushImage(room, `${host}/base:1`);
    await pushFirst(builds, host);
    const prepare = (): Promise<void> => pushNewBase(room, `${host}/base:2`);
    const [own, theirs] = await measureInTurn(
      [
        { name: "ours, rebase", prepare, command: rebaseOurs(room, host) },
        { name: "buildah, rebuild", prepare, command: await rebuildPeer(builds, host, "2") },
      ],
      rounds,
      meter,
    );
    if (own === undefined) return [];
    const goal = "manifest and config only";
    return [
      { workload: "J", what: "base replaced under 96 layers", ours: own, peer: theirs, goal },
    ];
  });
}

/** The image on the old base, on both sides; whoever rebuilds has that in its cache. */
async function pushFirst(builds: DebianBuilds, host: string): Promise<void> {
  const { room, context } = builds;
  const [base, file] = [`${host}/base:1`, join(room.directory, "rebased.x")];
  await writeFile(file, renderOurs(base, [`--from=${base}`]));
  await run(pushOurs(room, `${host}/app:1`, "-f", file, context));
  await run(await rebuildPeer(builds, host, "1"));
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
