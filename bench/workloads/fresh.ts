import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { withDocker, type Docker } from "../docker.ts";
import { measureInTurn, run, type Command, type Contender } from "../measure.ts";
import { pushImage, pushOurs, pushPeer, withRegistry, type BenchRegistry } from "../registry.ts";
import type { Row } from "../results.ts";
import { emptyRoom, resetRoom } from "../room.ts";
import { withChanges } from "./change.ts";
import { renderLinked, renderOurs, renderPeer } from "./containerfiles.ts";
import { countLayers, linkedName, type DebianBuilds } from "./debian.ts";

/** E: a machine that has nothing; the registry has the base, the last image, and the peers' caches. */
export async function measureFreshMachine(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  const { room } = builds;
  try {
    return await withRegistry(room, (registry) =>
      withDocker(room, (docker) => measureSides(builds, rounds, registry, docker)),
    );
  } finally {
    await resetRoom(room);
  }
}

async function measureSides(
  builds: DebianBuilds,
  rounds: number,
  { host, meter }: BenchRegistry,
  docker: Docker | undefined,
): Promise<Row[]> {
  await pushImage(builds.room, `${host}/base:1`);
  const sides = await prepareSides(builds, host, docker);
  for (const { prepare, command } of sides) {
    await prepare();
    await run(command);
  }
  const [own, ...peers] = await withChanges(builds, (next) => {
    const changed = sides.map(({ name, prepare, command }) => {
      const begin = async (): Promise<void> => {
        await prepare();
        await next();
      };
      return { name, prepare: begin, command };
    });
    return measureInTurn(changed, rounds, { meter });
  });
  const note = await countLayers(builds);
  if (own === undefined) return [];
  const what = "fresh machine, one of 96 changed, pushed";
  return peers.map((peer) => ({ what, ours: own, peer, goal: "0.1 x in bytes", note }));
}

interface Side extends Contender {
  readonly prepare: () => Promise<void>;
}

/** Each begins with nothing but what the registry has. */
async function prepareSides(
  builds: DebianBuilds,
  host: string,
  docker: Docker | undefined,
): Promise<readonly Side[]> {
  const { room, context, packages, metadata } = builds;
  const [base, cache] = [`${host}/base:1`, `${host}/cache`];
  const files = { ours: join(room.directory, "fresh.x"), peer: join(room.directory, "fresh") };
  await writeFile(files.ours, renderOurs(base));
  await writeFile(files.peer, renderPeer(base, packages));
  const ours = ["--metadata-file", metadata, "-f", files.ours, context];
  const peer = ["-f", files.peer, context];
  const caches = ["--cache-from", cache, "--cache-to", cache];
  const prepare = (): Promise<void> => emptyRoom(room);
  return [
    { name: "ours", prepare, command: forgetful(pushOurs(room, `${host}/app`, ...ours)) },
    {
      name: "buildah with a cache in the registry",
      prepare,
      command: forgetful(pushPeer(room, `${host}/peer`, ...caches, ...peer)),
    },
    ...(await listLinked(builds, host)),
    ...(docker === undefined
      ? []
      : [
          {
            name: "docker with an inline cache",
            prepare: docker.restart,
            command: docker.push(`${host}/docker`, ...peer),
          },
        ]),
  ];
}

/** BuildKit, with its cache in the image that it has pushed. */
async function listLinked(
  { room, context, packages, peers: { buildKit } }: DebianBuilds,
  host: string,
): Promise<readonly Side[]> {
  if (buildKit === undefined) return [];
  const file = join(room.directory, "fresh.link");
  await writeFile(file, renderLinked(`${host}/base:1`, packages));
  const push = `${host}/linked`;
  const words = ["--export-cache=type=inline", `--import-cache=type=registry,ref=${push}`];
  const command = buildKit.build({ context, file, push, words });
  const prepare = (): Promise<void> => run(buildKit.prune);
  return [{ name: `${linkedName}, an inline cache`, prepare, command }];
}

/**
 * As on a machine that has never talked to the registry: root's notes of which blobs are where
 * are not in the storage, and no setting puts them elsewhere.
 */
function forgetful({ argv, env }: Command): Command {
  const script = `mkdir -p "$0" && mount -t tmpfs none "$0" && exec "$@"`;
  const notes = "/var/lib/containers/cache";
  return { argv: ["unshare", "--mount", "sh", "-c", script, notes, ...argv], env };
}
