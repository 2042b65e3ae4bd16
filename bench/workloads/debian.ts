import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { measureInTurn, run, type Command, type Contender, type Measurement } from "../measure.ts";
import { unpackPackages } from "../packages.ts";
import { renderSize, type Row } from "../report.ts";
import { baseImage, inRoom, resetRoom, xbuild, type Room } from "../room.ts";
import { withChanges } from "./change.ts";
import { renderOurs, renderPeer } from "./containerfiles.ts";

/** The builds of a Debian image with a layer for each package: ours, into the store and loaded, and buildah's. */
export interface DebianBuilds {
  readonly room: Room;
  readonly context: string;
  readonly packages: readonly string[];
  readonly stored: Command;
  readonly loaded: Command;
  readonly peer: Command;
  readonly metadata: string;
}

/** Makes the context that both sides build from. */
export async function prepareDebian(room: Room): Promise<DebianBuilds> {
  const context = join(room.directory, "debian");
  await mkdir(context);
  const packages = await unpackPackages(room, join(context, "pkgs"));
  await writeFile(join(context, "Containerfile"), renderPeer(baseImage, packages));
  await writeFile(join(context, "Containerfile.x"), renderOurs(baseImage));
  const metadata = join(room.directory, "debian.json");
  const ours = ["-t", "debian", "--metadata-file", metadata, context];
  const file = join(context, "Containerfile");
  return {
    room,
    context,
    packages,
    metadata,
    stored: xbuild(room, "--no-load", ...ours),
    loaded: xbuild(room, ...ours),
    peer: inRoom(room, "buildah", "build", "--layers", "-t", "debian-peer", "-f", file, context),
  };
}

/** D: no store, and a containers storage that has the base alone. */
export async function measureFirstBuild(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  const prepare = (): Promise<void> => resetRoom(builds.room);
  const measured = await measureAll(builds, rounds, prepare);
  return describe("D", "first build", ["0.12 x", ""], measured, await countLayers(builds));
}

/** A: every side has built it before. */
export async function measureNothingChanged(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  await buildAll(builds);
  const before = await readMetadata(builds);
  const measured = await measureAll(builds, rounds);
  const after = await readMetadata(builds);
  const isSame = after.digest === before.digest && after.upToDate;
  const note = isSame ? "same digest" : "NOT up to date";
  return describe("A", "nothing changed", ["0.02 x", ""], measured, note);
}

/** B: a file of one package, with another content for every build. */
export async function measureOneChanged(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  await buildAll(builds);
  const measured = await withChanges(builds, (next) => measureAll(builds, rounds, next));
  const note = await countLayers(builds);
  return describe("B", "one of 96 changed", ["0.04 x", "0.2 x"], measured, note);
}

async function measureAll(
  { stored, loaded, peer }: DebianBuilds,
  rounds: number,
  prepare: () => Promise<void> = async () => {},
): Promise<readonly Measurement[]> {
  const contenders: readonly Contender[] = [
    { name: "ours, store", prepare, command: stored },
    { name: "ours, loaded", prepare, command: loaded },
    { name: "buildah", prepare, command: peer },
  ];
  return measureInTurn(contenders, rounds);
}

function describe(
  workload: string,
  what: string,
  [storeGoal, loadGoal]: readonly [string, string],
  [store, load, peer]: readonly Measurement[],
  note: string,
): Row[] {
  if (store === undefined || load === undefined) return [];
  return [
    { workload, what: `${what}, into the store`, ours: store, peer, goal: storeGoal, note },
    { workload, what: `${what}, loaded`, ours: load, peer, goal: loadGoal, note },
  ];
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

async function buildAll({ loaded, peer }: DebianBuilds): Promise<void> {
  await run(loaded);
  await run(peer);
}

interface Metadata {
  readonly digest: string;
  readonly upToDate: boolean;
  readonly layers: readonly { readonly status: string; readonly size: number }[];
}

async function readMetadata({ metadata }: DebianBuilds): Promise<Metadata> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own program wrote it
  return JSON.parse(await readFile(metadata, "utf8")) as Metadata;
}
