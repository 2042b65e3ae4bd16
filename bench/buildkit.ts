import { mkdtemp, readFile, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import {
  type BuildKitDaemon,
  removeDaemonFiles,
  startBuildKit,
} from "../test/support/buildkit-daemon.ts";
import { run, type Command } from "./measure.ts";
import { baseImage, inRoom, type Room } from "./room.ts";

/** A buildkitd of the run's own: its storage, no network. */
export interface BuildKit {
  readonly version: string;
  /** Where it listens, and the directory that its client is in: for who is not us, such as our tool. */
  readonly address: string;
  readonly programs: string;
  /** Forgets all that it has built. */
  readonly prune: Command;
  /** Begins anew with an empty storage, as on another machine. */
  readonly restart: () => Promise<void>;
  /** Builds a file; `base` in it is the benchmarks' base image. */
  readonly build: (source: BuildKitSource) => Command;
}

export interface BuildKitSource {
  readonly context: string;
  /** From the context, or absolute. */
  readonly file: string;
  /** An image of a registry without TLS, which the image is pushed to; without it it becomes an OCI archive. */
  readonly push?: string;
  /** More words for buildctl. */
  readonly words?: readonly string[];
}

/** Words for a cache of all steps in a registry: an image's name that it is read from, and one that it is written to. */
export function cacheIn(from: string, to = from): readonly string[] {
  return [
    `--import-cache=type=registry,ref=${from}`,
    `--export-cache=type=registry,ref=${to},mode=max`,
  ];
}

/** Runs a workload with BuildKit where it can be built and starts; it is ended and removed whatever happens. */
export async function withBuildKit<T>(
  room: Room,
  isWanted: boolean,
  use: (buildKit: BuildKit | undefined) => Promise<T>,
): Promise<T> {
  if (!isWanted) return use(undefined);
  const directory = await mkdtemp(join(room.directory, "buildkit-"));
  const started = await startPeer(room, directory).catch((error: unknown) => {
    process.stderr.write(`    BuildKit was left out: ${String(error)}\n`);
    return undefined;
  });
  try {
    return await use(started?.buildKit);
  } finally {
    await started?.stop();
    await rm(directory, { recursive: true, force: true });
  }
}

interface Started {
  readonly buildKit: BuildKit;
  readonly stop: () => Promise<void>;
}

async function startPeer(room: Room, directory: string): Promise<Started> {
  const { address, programs, restart, stop } = await startDaemon(directory);
  const control = (...words: readonly string[]): Command =>
    inRoom(room, join(programs, "buildctl"), `--addr=${address}`, ...words);
  try {
    const base = await exportBase(room, directory);
    const archive = `type=oci,dest=${directory}/image.tar`;
    const build: BuildKit["build"] = (source) =>
      control("build", ...listWords(source, archive), ...base);
    const version = /[\d.]+$/.exec(programs)?.[0] ?? "";
    const prune = control("prune", "--all");
    return { buildKit: { version, address, programs, prune, restart, build }, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** A daemon that can be replaced by one that listens at the same place, and has nothing. */
async function startDaemon(
  directory: string,
): Promise<Omit<BuildKitDaemon, "stop"> & Pick<BuildKit, "restart"> & Pick<Started, "stop">> {
  let daemon: BuildKitDaemon | undefined = await startBuildKit(directory);
  const { address, programs } = daemon;
  const stop = async (): Promise<void> => {
    const running = daemon;
    daemon = undefined;
    await running?.stop();
  };
  const restart = async (): Promise<void> => {
    await stop();
    await removeDaemonFiles(join(directory, "root"));
    daemon = await startBuildKit(directory);
  };
  return { address, programs, restart, stop };
}

function listWords(
  { context, file, push, words = [] }: BuildKitSource,
  archive: string,
): readonly string[] {
  const path = resolve(context, file);
  const image = `type=image,name=${push},push=true,registry.insecure=true`;
  return [
    "--frontend=dockerfile.v0",
    `--local=context=${context}`,
    `--local=dockerfile=${dirname(path)}`,
    `--opt=filename=${basename(path)}`,
    `--output=${push === undefined ? archive : image}`,
    ...words,
  ];
}

/** The base from a layout, which needs no registry. @returns the flags that name it */
async function exportBase(room: Room, directory: string): Promise<readonly string[]> {
  const layout = join(directory, "base");
  const source = `containers-storage:${baseImage}`;
  await run(inRoom(room, "skopeo", "copy", "--quiet", source, `oci:${layout}:latest`));
  const digest = /"digest":"(sha256:[0-9a-f]{64})"/.exec(
    await readFile(join(layout, "index.json"), "utf8"),
  )?.[1];
  const named = `--opt=context:base=oci-layout://base@${digest ?? ""}`;
  return [`--oci-layout=base=${layout}`, named];
}
