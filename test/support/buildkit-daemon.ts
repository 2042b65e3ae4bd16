import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { type RunningDaemon, startDaemon } from "./daemon.ts";

/** A buildkitd that runs. */
export interface BuildKitDaemon {
  /** `unix://PATH`. */
  readonly address: string;
  /** The directory of buildkitd and buildctl. */
  readonly programs: string;
  /** Ends it and waits for that. Its files stay. */
  readonly stop: RunningDaemon;
}

/** The parts that `scripts/buildkit.sh` makes. */
type Part = "buildkit" | "buildx" | "dockerd";

/** The directory of the programs; they are built where they are not there yet. */
export async function findPrograms(part: Part): Promise<string> {
  return (await execa("bash", ["scripts/buildkit.sh", part])).stdout;
}

/**
 * Starts a buildkitd that keeps its files in this directory, and waits until it answers. Its steps have the machine's
 * network: where tests run there may be no other.
 */
export async function startBuildKit(directory: string): Promise<BuildKitDaemon> {
  const programs = await findPrograms("buildkit");
  const address = `unix://${directory}/socket`;
  const flags = [
    `--root=${directory}/root`,
    `--addr=${address}`,
    `--otel-socket-path=${directory}/otel`,
    "--containerd-worker=false",
    "--oci-worker-snapshotter=overlayfs",
    "--oci-worker-net=host",
  ];
  const stop = await startDaemon({
    argv: [join(programs, "buildkitd"), ...flags],
    waitForAnswer: (signal) => waitForAnswer(join(programs, "buildctl"), address, signal),
  });
  return { address, programs, stop };
}

async function waitForAnswer(
  buildctl: string,
  address: string,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const words = [`--addr=${address}`, "debug", "workers"];
    const asked = await execa(buildctl, words, { reject: false, cancelSignal: signal });
    if (asked.exitCode === 0) return;
    await sleep(20, undefined, { signal });
  }
}

/** Removes a daemon's files: one that was killed leaves the mounts of its steps. */
export async function removeDaemonFiles(directory: string): Promise<void> {
  const table = await readFile("/proc/self/mountinfo", "utf8");
  const mounts = table.split("\n").flatMap((line) => {
    const place = line.split(" ")[4] ?? "";
    return place.startsWith(`${directory}/`) ? [place] : [];
  });
  // What lies deeper was mounted later.
  for (const place of mounts.toReversed()) await execa("umount", ["--lazy", place]);
  await rm(directory, { recursive: true, force: true });
}
