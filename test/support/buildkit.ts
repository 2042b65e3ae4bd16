import { mkdir, mkdtemp, symlink } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll } from "vitest";
import {
  type BuildKitDaemon,
  findPrograms,
  removeDaemonFiles,
  startBuildKit,
} from "./buildkit-daemon.ts";

/** A buildkitd of a test file's own, and how it is reached. */
export interface BuildKit extends Pick<BuildKitDaemon, "address"> {
  /** A directory for PATH: buildctl and docker-buildx. */
  readonly clients: string;
  /** The name that it has as a builder of buildx. */
  readonly builder: string;
  /** What `docker buildx` needs to know that builder. */
  readonly env: Readonly<Record<"DOCKER_CONFIG" | "BUILDX_CONFIG", string>>;
}

const builder = "xbuild-test";

/** The daemon of a test file, started before its tests; ended after them, and its files removed. */
export function useBuildKit(): BuildKit {
  let made: BuildKit | undefined;
  let daemon: BuildKitDaemon | undefined;
  let directory: string | undefined;
  beforeAll(async () => {
    // Its snapshots are overlays, which do not stand on a tmpfs everywhere: /tmp may be one.
    directory = await mkdtemp("/var/tmp/xbuild-buildkit-");
    daemon = await startBuildKit(directory);
    made = { ...daemon, builder, ...(await createClients(directory, daemon)) };
  });
  afterAll(async () => {
    try {
      await daemon?.stop();
    } finally {
      if (directory !== undefined) await removeDaemonFiles(directory);
    }
  });
  const get = (): BuildKit => {
    if (made === undefined) throw new Error("the daemon runs only while tests run");
    return made;
  };
  return {
    get address() {
      return get().address;
    },
    get clients() {
      return get().clients;
    },
    get builder() {
      return get().builder;
    },
    get env() {
      return get().env;
    },
  };
}

/** Makes buildx a plugin of the docker command, and the daemon a builder of buildx's. */
async function createClients(
  directory: string,
  { address, programs }: BuildKitDaemon,
): Promise<Pick<BuildKit, "clients" | "env">> {
  const buildx = await findPrograms("buildx");
  const clients = join(directory, "bin");
  const env = {
    DOCKER_CONFIG: join(directory, "docker"),
    BUILDX_CONFIG: join(directory, "buildx"),
  };
  const plugins = join(env.DOCKER_CONFIG, "cli-plugins");
  await mkdir(plugins, { recursive: true });
  await mkdir(clients);
  await symlink(join(programs, "buildctl"), join(clients, "buildctl"));
  // Alone it is the same program, for machines that have no docker.
  for (const place of [plugins, clients]) {
    await symlink(join(buildx, "docker-buildx"), join(place, "docker-buildx"));
  }
  const words = ["create", "--name", builder, "--driver", "remote", address];
  await execa(join(buildx, "docker-buildx"), words, { env });
  return { clients, env };
}
