import { mkdtemp, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { execa } from "execa";
import { afterAll, beforeAll } from "vitest";
import { findPrograms, removeDaemonFiles } from "./buildkit-daemon.ts";
import { type RunningDaemon, startDaemon } from "./daemon.ts";

/** Where a dockerd keeps images: in its own store, or in containerd's, which alone takes and gives OCI layouts. */
export type ImageStore = "classic" | "containerd";

/** A dockerd of a test file's own. */
export interface Dockerd {
  /** `DOCKER_HOST`. */
  readonly host: string;
  /** What the docker command prints there. @throws where it fails */
  readonly ask: (...words: readonly string[]) => Promise<string>;
}

/**
 * Started before the file's tests, ended after them, and its files removed. It has no network of its own, which would be
 * the machine's to see: steps and containers have the host's or none. Its containerd and runc are the machine's.
 * @param program an installed one; by default that of `scripts/buildkit.sh`
 */
export function useDockerd(images: ImageStore, program?: string): Dockerd {
  let directory: string | undefined;
  let stop: RunningDaemon | undefined;
  const host = (): string => `unix://${directory}/socket`;
  const ask: Dockerd["ask"] = async (...words) =>
    (await execa("docker", words, { env: { DOCKER_HOST: host() } })).stdout;
  beforeAll(async () => {
    directory = await mkdtemp("/var/tmp/xbuild-dockerd-");
    const features = { "containerd-snapshotter": images === "containerd" };
    await writeFile(join(directory, "daemon.json"), JSON.stringify({ features }));
    const path = program ?? join(await findPrograms("dockerd"), "dockerd");
    stop = await startDaemon({
      argv: [path, ...listFlags(directory)],
      waitForAnswer: (signal) => waitForAnswer(() => ask("version"), signal),
    });
  });
  afterAll(async () => {
    try {
      await stop?.();
    } finally {
      if (directory !== undefined) await removeDaemonFiles(directory);
    }
  });
  return {
    get host() {
      return host();
    },
    ask,
  };
}

function listFlags(directory: string): readonly string[] {
  return [
    `--config-file=${directory}/daemon.json`,
    `--data-root=${directory}/root`,
    `--exec-root=${directory}/exec`,
    `--pidfile=${directory}/pid`,
    `--host=unix://${directory}/socket`,
    "--iptables=false",
    "--bridge=none",
  ];
}

async function waitForAnswer(ask: () => Promise<string>, signal: AbortSignal): Promise<void> {
  while ((await ask().catch(() => undefined)) === undefined)
    await sleep(100, undefined, { signal });
}
