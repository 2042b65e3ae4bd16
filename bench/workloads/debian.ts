import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measureInTurn, run, type Command, type Contender, type Measurement } from "../measure.ts";
import { unpackPackages } from "../packages.ts";
import type { Peers } from "../peers.ts";
import type { Row } from "../results.ts";
import { renderSize } from "../format.ts";
import { asPeer, baseImage, inRoom, resetRoom, xbuild, type Room } from "../room.ts";
import { withChanges } from "./change.ts";
import { renderAdding, renderLinked, renderOurs, renderPeer } from "./containerfiles.ts";

/** BuildKit's, in the context. */
export const linkedFile = "Containerfile.link";
/** How it is called in the tables. */
export const linkedName = "BuildKit, COPY --link";

/** The builds of a Debian image with a layer for each package: ours, into the store and loaded, and buildah's. */
export interface DebianBuilds {
  readonly room: Room;
  readonly context: string;
  readonly packages: readonly string[];
  readonly stored: Command;
  /** By a call of the helper for each layer. */
  readonly adding: Command;
  readonly loaded: Command;
  readonly peer: Command;
  readonly peers: Peers;
  readonly metadata: string;
}

/** Makes the context that both sides build from. */
export async function prepareDebian(room: Room, peers: Peers): Promise<DebianBuilds> {
  const context = join(room.directory, "debian");
  await mkdir(context);
  const packages = await unpackPackages(room, join(context, "pkgs"));
  await writeFile(join(context, "Containerfile"), renderPeer(baseImage, packages));
  await writeFile(join(context, "Containerfile.x"), renderOurs(baseImage));
  await writeFile(join(context, "Adding.x"), renderAdding(baseImage));
  await writeFile(join(context, linkedFile), renderLinked("base", packages));
  const metadata = join(room.directory, "debian.json");
  const ours = ["-t", "debian", "--metadata-file", metadata, context];
  const file = join(context, "Containerfile");
  const adding = ["-t", "debian-adding", "-f", join(context, "Adding.x"), context];
  return {
    room,
    peers,
    adding: xbuild(room, "--no-load", ...adding),
    context,
    packages,
    metadata,
    stored: xbuild(room, "--no-load", ...ours),
    loaded: xbuild(room, ...ours),
    peer: inRoom(
      asPeer(room),
      "buildah",
      "build",
      "--layers",
      "-t",
      "debian-peer",
      "-f",
      file,
      context,
    ),
  };
}

/** D: no store, and a containers storage that has the base alone. */
export async function measureFirstBuild(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  const { room, peers } = builds;
  const prepare = async (): Promise<void> => {
    await resetRoom(room);
    for (const { reset } of peers.buildahs) await reset();
    if (peers.buildKit !== undefined) await run(peers.buildKit.prune);
  };
  const measured = await measureAll(builds, rounds, prepare);
  const goals = { store: "0.12 x", loaded: "", linked: "0.5 x" };
  return describe("first build", goals, { measured, note: await countLayers(builds) });
}

/** A: every side has built it before. */
export async function measureNothingChanged(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  await buildAll(builds);
  const before = await readMetadata(builds);
  const measured = await measureAll(builds, rounds);
  const after = await readMetadata(builds);
  const isSame = after.digest === before.digest && after.upToDate;
  const note = isSame ? "same digest" : "NOT up to date";
  const goals = { store: "0.012 x", loaded: "", linked: "0.25 x" };
  return describe("nothing changed", goals, { measured, note });
}

/** B: a file of one package, with another content for every build. */
export async function measureOneChanged(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  await buildAll(builds);
  const measured = await withChanges(builds, (next) => measureAll(builds, rounds, next));
  const goals = { store: "0.04 x", loaded: "0.2 x", linked: "0.6 x" };
  return describe("one of 96 changed", goals, { measured, note: await countLayers(builds) });
}

/** Those that COPY a package a line: Debian's buildah, newer ones, BuildKit. */
function listPeers(builds: DebianBuilds): readonly Omit<Contender, "prepare">[] {
  const { context, peer, peers } = builds;
  const linked = peers.buildKit?.build({ context, file: linkedFile });
  return [
    { name: "buildah", command: peer },
    ...peers.buildahs.map(({ name, build }) => ({
      name,
      command: build("debian-peer", join(context, "Containerfile"), context),
    })),
    ...(linked === undefined ? [] : [{ name: linkedName, command: linked }]),
  ];
}

interface Measured {
  readonly store: Measurement | undefined;
  readonly loaded: Measurement | undefined;
  readonly adding: Measurement | undefined;
  readonly peers: readonly Measurement[];
}

async function measureAll(
  builds: DebianBuilds,
  rounds: number,
  prepare: () => Promise<void> = async () => {},
): Promise<Measured> {
  const contenders: readonly Contender[] = [
    { name: "ours, store", command: builds.stored },
    { name: "ours, loaded", command: builds.loaded },
    { name: "ours, an add for each", command: builds.adding },
    ...listPeers(builds),
  ];
  const [store, loaded, adding, ...peers] = await measureInTurn(contenders, rounds, { prepare });
  return { store, loaded, adding, peers };
}

interface Goals {
  readonly store: string;
  readonly loaded: string;
  /** Against BuildKit. */
  readonly linked: string;
}

/** Into the store against all, the other ways against who is nearest to them. */
function describe(
  what: string,
  goals: Goals,
  { measured, note }: { readonly measured: Measured; readonly note: string },
): Row[] {
  const { store, loaded, adding, peers } = measured;
  if (store === undefined || loaded === undefined || adding === undefined) return [];
  const [buildah] = peers;
  const linked = peers.find(({ name }) => name === linkedName);
  const stored = peers.map((peer): Row => {
    const goal = peer === linked ? goals.linked : peer === buildah ? goals.store : "";
    return {
      what: `${what}, into the store`,
      ours: store,
      peer,
      goal,
      note: peer === buildah ? note : "",
    };
  });
  const own: Row = { what: `${what}, an add for each`, ours: adding, peer: linked, goal: "" };
  const full: Row = { what: `${what}, loaded`, ours: loaded, peer: buildah, goal: goals.loaded };
  return [...stored, own, full];
}

/** How much of our last build is new. */
export async function countLayers(builds: DebianBuilds): Promise<string> {
  const { layers } = await readMetadata(builds);
  const fresh = layers.filter(({ status }) => status === "new");
  return `${fresh.length} of ${layers.length} layers new, ${renderSize(await sizeNewLayers(builds))}`;
}

/** Bytes of the layers that our last build made, compressed. */
export async function sizeNewLayers(builds: DebianBuilds): Promise<number> {
  const { layers } = await readMetadata(builds);
  return layers.reduce((sum, { status, size }) => sum + (status === "new" ? size : 0), 0);
}

async function buildAll(builds: DebianBuilds): Promise<void> {
  const peers = listPeers(builds).map(({ command }) => command);
  for (const one of [builds.loaded, builds.adding, ...peers]) await run(one);
}

interface Metadata {
  readonly digest: string;
  readonly upToDate: boolean;
  readonly layers: readonly { readonly status: string; readonly size: number }[];
}

export async function readMetadata({ metadata }: DebianBuilds): Promise<Metadata> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program wrote it
  return JSON.parse(await readFile(metadata, "utf8")) as Metadata;
}
