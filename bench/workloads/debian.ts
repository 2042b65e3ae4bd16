import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BuildKit } from "../buildkit.ts";
import { measureInTurn, run, type Command, type Contender, type Measurement } from "../measure.ts";
import { unpackPackages } from "../packages.ts";
import { renderSize, type Row } from "../report.ts";
import { baseImage, inRoom, resetRoom, xbuild, type Room } from "../room.ts";
import { withChanges } from "./change.ts";
import { renderAdding, renderLinked, renderOurs, renderPeer } from "./containerfiles.ts";

/** BuildKit's. */
const linkedFile = "Containerfile.link";

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
  readonly buildKit: BuildKit | undefined;
  readonly metadata: string;
}

/** Makes the context that both sides build from. */
export async function prepareDebian(
  room: Room,
  buildKit: BuildKit | undefined,
): Promise<DebianBuilds> {
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
    buildKit,
    adding: xbuild(room, "--no-load", ...adding),
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
  const prepare = async (): Promise<void> => {
    await resetRoom(builds.room);
    if (builds.buildKit !== undefined) await run(builds.buildKit.prune);
  };
  const measured = await measureAll(builds, rounds, prepare);
  const goals = ["0.12 x", "", "0.5 x"] as const;
  return describe("D", "first build", goals, measured, await countLayers(builds));
}

/** A: every side has built it before. */
export async function measureNothingChanged(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  await buildAll(builds);
  const before = await readMetadata(builds);
  const measured = await measureAll(builds, rounds);
  const after = await readMetadata(builds);
  const isSame = after.digest === before.digest && after.upToDate;
  const note = isSame ? "same digest" : "NOT up to date";
  return describe("A", "nothing changed", ["0.012 x", "", "0.25 x"], measured, note);
}

/** B: a file of one package, with another content for every build. */
export async function measureOneChanged(builds: DebianBuilds, rounds: number): Promise<Row[]> {
  await buildAll(builds);
  const measured = await withChanges(builds, (next) => measureAll(builds, rounds, next));
  const note = await countLayers(builds);
  return describe("B", "one of 96 changed", ["0.04 x", "0.2 x", "0.6 x"], measured, note);
}

async function measureAll(
  { stored, adding, loaded, peer, buildKit, context }: DebianBuilds,
  rounds: number,
  prepare: () => Promise<void> = async () => {},
): Promise<readonly Measurement[]> {
  const contenders: readonly Contender[] = [
    { name: "ours, store", prepare, command: stored },
    { name: "ours, loaded", prepare, command: loaded },
    { name: "buildah", prepare, command: peer },
    { name: "ours, an add for each", prepare, command: adding },
    ...(buildKit === undefined
      ? []
      : [{ name: "BuildKit", prepare, command: buildKit.build(context, linkedFile) }]),
  ];
  return measureInTurn(contenders, rounds);
}

function describe(
  workload: string,
  what: string,
  [storeGoal, loadGoal, linkGoal]: readonly [string, string, string],
  [store, load, peer, adding, linked]: readonly Measurement[],
  note: string,
): Row[] {
  if (store === undefined || load === undefined || adding === undefined) return [];
  const [stored, loaded] = [`${what}, into the store`, `${what}, loaded`];
  const called = `${what}, an add for each, into the store`;
  const rows: Row[] = [
    { workload, what: stored, ours: store, peer, goal: storeGoal, note },
    { workload, what: called, ours: adding, peer, goal: "" },
    { workload, what: loaded, ours: load, peer, goal: loadGoal },
  ];
  if (linked === undefined) return rows;
  const against = "; peer: BuildKit, COPY --link";
  return [
    ...rows,
    { workload, what: `${stored}${against}`, ours: store, peer: linked, goal: linkGoal },
    { workload, what: `${called}${against}`, ours: adding, peer: linked, goal: "" },
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

async function buildAll(builds: DebianBuilds): Promise<void> {
  const { loaded, adding, peer, buildKit, context } = builds;
  for (const one of [loaded, adding, peer]) await run(one);
  if (buildKit !== undefined) await run(buildKit.build(context, linkedFile));
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
