import { rm, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { cacheIn, withBuildKit, type BuildKit } from "../buildkit.ts";
import { run, type Contender, type Meter } from "../measure.ts";
import { plainHttp, pushImage, withRegistry, type BenchRegistry } from "../registry.ts";
import { xbuild, type Room } from "../room.ts";
import { renderLinked, renderOurs } from "./containerfiles.ts";
import { linkedName, type DebianBuilds } from "./debian.ts";

/** Ours first, then BuildKit. */
type Sides = readonly Pick<Contender, "name" | "command">[];

/** Our tool with BuildKit as its engine, and BuildKit itself: a daemon each, with roots of their own. */
export interface EngineSides {
  /** Into the store, and into an archive. */
  readonly archived: Sides;
  /** Into the registry, which has the peer's cache as well. */
  readonly pushed: Sides;
  /** Neither the store nor a daemon has anything then. */
  readonly forget: () => Promise<void>;
  /** Of the registry, which the base comes from for both. */
  readonly meter: Meter;
}

/** Errors: where there is no BuildKit, for then there is nothing to measure. */
export async function withEngine<T>(
  builds: DebianBuilds,
  use: (sides: EngineSides) => Promise<T>,
): Promise<T> {
  const { room, peers } = builds;
  return withRegistry(room, async (registry) => {
    await pushImage(room, `${registry.host}/base:1`);
    return withBuildKit(room, true, async (own) => {
      if (own === undefined || peers.buildKit === undefined)
        throw new Error("there is no BuildKit");
      return use(await prepareSides(builds, registry, { own, peer: peers.buildKit }));
    });
  });
}

/** So that each has built it before. */
export async function warmUp(sides: Sides): Promise<void> {
  for (const { command } of sides) await run(command);
}

interface Daemons {
  readonly own: BuildKit;
  readonly peer: BuildKit;
}

async function prepareSides(
  { room, context, packages, metadata }: DebianBuilds,
  { host, meter }: BenchRegistry,
  { own, peer }: Daemons,
): Promise<EngineSides> {
  const [base, linked] = [`${host}/base:1`, `${host}/linked`];
  const [file, peerFile] = [join(room.directory, "engine.x"), join(room.directory, "engine.link")];
  await writeFile(file, renderOurs(base));
  await writeFile(peerFile, renderLinked(base, packages));
  const ours = (...words: readonly string[]): Sides[number] => {
    const reached = ["--engine=buildkit", `--builder=${own.address}`, plainHttp];
    const rest = ["--metadata-file", metadata, "-f", file, context];
    return {
      name: "ours, by BuildKit",
      command: xbuild(withClient(room, own), ...reached, ...words, ...rest),
    };
  };
  // In the image's repository: a layer that the cache has, too, is sent once.
  const caches = cacheIn(`${linked}:cache`);
  const theirs = { context, file: peerFile };
  return {
    archived: [
      ours("-t", "engine", "--no-load"),
      { name: linkedName, command: peer.build(theirs) },
    ],
    pushed: [
      ours("-t", `${host}/app`, "--push"),
      {
        name: `${linkedName}, a cache in the registry`,
        command: peer.build({ ...theirs, push: linked, words: caches }),
      },
    ],
    forget: async () => {
      for (const { prune } of [own, peer]) await run(prune);
      await rm(room.store, { recursive: true, force: true });
    },
    meter,
  };
}

/** Where our tool finds the client of that version. */
function withClient(room: Room, { programs }: BuildKit): Room {
  const path = [programs, process.env["PATH"] ?? ""].join(delimiter);
  return { ...room, env: { ...room.env, PATH: path } };
}
