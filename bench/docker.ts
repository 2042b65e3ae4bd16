import { access, mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { startDaemon } from "../test/support/daemon.ts";
import { type Command, waitForSuccess } from "./measure.ts";
import { inRoom, type Room } from "./room.ts";

/** A Docker of the run's own: its daemon, its storage, no network. */
export interface Docker {
  /** Begins anew with an empty storage. */
  readonly restart: () => Promise<void>;
  /** BuildKit's build of an image and its push; the image of that name is the cache, and has the next one in it. */
  readonly push: (target: string, ...args: readonly string[]) => Command;
}

/** Debian's has BuildKit in it; Docker's own needs a plugin for it. */
const client = "/usr/bin/docker";
const daemon = "/usr/sbin/dockerd";

/** Runs a workload with a Docker where one starts; it is ended and removed whatever happens. */
export async function withDocker<T>(
  room: Room,
  use: (docker: Docker | undefined) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(room.directory, "docker-"));
  let stop: (() => Promise<void>) | undefined;
  const restart = async (): Promise<void> => {
    await stop?.();
    stop = undefined;
    await rm(join(directory, "data"), { recursive: true, force: true });
    stop = await startDocker(room, directory);
  };
  const problem = await restart().then(() => undefined, String);
  if (problem !== undefined) process.stderr.write(`    docker was left out: ${problem}\n`);
  const push: Docker["push"] = (...args) => pushDocker(room, directory, args);
  try {
    return await use(problem === undefined ? { restart, push } : undefined);
  } finally {
    await stop?.();
    await rm(directory, { recursive: true, force: true });
  }
}

function pushDocker(
  room: Room,
  directory: string,
  [target = "", ...args]: readonly string[],
): Command {
  const build = `"$0" build --build-arg BUILDKIT_INLINE_CACHE=1 --cache-from "$target" -t "$target" "$@"`;
  const script = `target=$1; shift; ${build} && "$0" push "$target"`;
  const argv = ["sh", "-c", script, client, target, ...args];
  return inDocker(room, directory, ...argv);
}

/** With nothing that the user has set for his own Docker. */
function inDocker(room: Room, directory: string, ...argv: readonly string[]): Command {
  const { env } = inRoom(room);
  const own = {
    DOCKER_HOST: `unix://${directory}/socket`,
    DOCKER_CONFIG: directory,
    DOCKER_BUILDKIT: "1",
  };
  return { argv, env: { ...env, ...own } };
}

/** The machine's network stays as it is. @returns what ends it. */
async function startDocker(room: Room, directory: string): Promise<() => Promise<void>> {
  await access(client);
  const question = inDocker(room, directory, client, "version");
  return startDaemon({
    argv: [daemon, ...listFlags(directory)],
    waitForAnswer: (signal) => waitForSuccess(question, signal),
  });
}

function listFlags(directory: string): readonly string[] {
  const unwanted = ["iptables", "ip6tables", "ip-forward", "ip-masq"];
  return [
    `--data-root=${directory}/data`,
    `--exec-root=${directory}/exec`,
    `--pidfile=${directory}/pid`,
    `--host=unix://${directory}/socket`,
    "--bridge=none",
    ...unwanted.map((name) => `--${name}=false`),
  ];
}
