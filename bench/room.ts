import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { run, type Command } from "./measure.ts";

/** A place of the run's own: its directory, its store, its containers storage. */
export interface Room {
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  /**
   * The same with another containers storage, for buildah as a peer: an engine reads the list of all layers of its storage
   * at each call, and one side's would be in the other's way.
   */
  readonly peerEnv: NodeJS.ProcessEnv;
  /** The images that the workloads start from are kept from run to run here. */
  readonly cache: string;
  readonly store: string;
}

/** The base of every build: busybox alone. */
export const baseImage = "localhost/busybox-base";

/**
 * Makes a room on a disk: overlay storage on a tmpfs or on another overlay would measure something else.
 * @param parent where it is made.
 */
export async function openRoom(parent: string): Promise<Room> {
  await mkdir(parent, { recursive: true });
  const directory = await mkdtemp(join(resolve(parent), "run-"));
  const store = join(directory, "store");
  const { SOURCE_DATE_EPOCH: _, ...inherited } = process.env;
  const env = await setStorage(directory, {
    ...inherited,
    BUILDAH_ISOLATION: process.env["BUILDAH_ISOLATION"] ?? "chroot",
    XBUILD_STORE: store,
    // Where every xbuild of a user waits for the others: those of other storages are no matter here.
    XDG_RUNTIME_DIR: directory,
    NO_COLOR: "1",
  });
  const others = join(directory, "peer");
  await mkdir(others);
  const peerEnv = await setStorage(others, env);
  const room = { directory, env, peerEnv, cache: resolve(parent), store };
  await makeBases(room);
  return room;
}

/** A containers storage of its own, below the directory. @returns the variables that name it, beside those of `env` */
export async function setStorage(
  directory: string,
  env: NodeJS.ProcessEnv,
): Promise<NodeJS.ProcessEnv> {
  const file = join(directory, "storage.conf");
  const storage = ["[storage]", 'driver = "overlay"'];
  for (const root of ["graphroot", "runroot"]) storage.push(`${root} = "${directory}/${root}"`);
  await writeFile(file, `${storage.join("\n")}\n`);
  return { ...env, CONTAINERS_STORAGE_CONF: file };
}

/** Empties the containers storages but for the base, and removes the store. */
export async function resetRoom(room: Room): Promise<void> {
  await emptyRoom(room);
  await makeBases(room);
}

/** Empties the containers storages and removes the store, as on a machine that has built nothing yet. */
export async function emptyRoom(room: Room): Promise<void> {
  for (const one of bothSides(room)) await emptyStorage(one);
  await rm(room.store, { recursive: true, force: true });
}

async function makeBases(room: Room): Promise<void> {
  for (const one of bothSides(room)) await makeBase(one);
}

function bothSides(room: Room): readonly Room[] {
  return [room, asPeer(room)];
}

/** The room as buildah has it where it is a peer. */
export function asPeer(room: Room): Room {
  return { ...room, env: room.peerEnv };
}

/** Empties the containers storage alone. */
export async function emptyStorage(room: Room): Promise<void> {
  await run(inRoom(room, "buildah", "rmi", "--all", "--force"));
}

export async function closeRoom(room: Room): Promise<void> {
  for (const one of bothSides(room)) await emptyStorage(one);
  await rm(room.directory, { recursive: true, force: true });
}

/** A command that runs in the room. */
export function inRoom(room: Room, ...argv: readonly string[]): Command {
  return { argv, env: room.env };
}

/** Our tool: the one that is built here, or another one to compare with. */
export function xbuild(room: Room, ...args: readonly string[]): Command {
  const program = process.env["XBUILD_BENCH_PROGRAM"] ?? "dist/cli/main.js";
  return inRoom(room, process.execPath, program, ...args);
}

/** Makes the base of every build with the room's buildah. */
export async function makeBase(room: Room): Promise<void> {
  const directory = join(room.directory, "base");
  await mkdir(join(directory, "bin"), { recursive: true });
  await writeFile(
    join(directory, "Containerfile"),
    'FROM scratch\nCOPY bin /bin\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\nCMD ["/bin/sh"]\n',
  );
  await run(inRoom(room, "sh", "-c", `cp "$(command -v busybox)" "${directory}/bin/busybox"`));
  await run(inRoom(room, "buildah", "build", "--quiet", "--tag", baseImage, directory));
}
