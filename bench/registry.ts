import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { startRegistryProxy } from "../test/support/registry-proxy.ts";
import type { RequestLog } from "../test/support/registry-records.ts";
import { startRegistry } from "../test/support/registry.ts";
import { run, type Command, type Meter } from "./measure.ts";
import { asPeer, baseImage, inRoom, xbuild, type Room } from "./room.ts";

/** A registry on 127.0.0.1 behind a proxy that counts, without TLS. */
export interface BenchRegistry {
  /** `127.0.0.1:PORT`, another one each time: the tools remember what a registry has, by its host. */
  readonly host: string;
  readonly meter: Meter;
  /** The requests since the meter was last reset. */
  readonly log: RequestLog;
  /** Takes a repository away; its blobs stay where others have them. */
  readonly forget: (repository: string) => Promise<void>;
}

/** For every tool that talks to it. */
export const plainHttp = "--tls-verify=false";

/** Runs a workload with an empty registry, which is ended and removed whatever happens. */
export async function withRegistry<T>(
  room: Room,
  use: (registry: BenchRegistry) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(room.directory, "registry-"));
  try {
    const registry = await startRegistry(directory);
    try {
      const proxy = await startRegistryProxy(registry);
      const read: Meter["read"] = () => ({ up: proxy.uploaded(), down: proxy.downloaded() });
      const repositories = join(directory, "storage/docker/registry/v2/repositories");
      const forget: BenchRegistry["forget"] = (repository) =>
        rm(join(repositories, repository), { recursive: true, force: true });
      try {
        const meter = { reset: proxy.reset, read };
        return await use({ host: proxy.host, meter, log: proxy, forget });
      } finally {
        await proxy.stop();
      }
    } finally {
      await registry.stop();
    }
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Puts the room's base, or another image of its storage, into a registry. */
export async function pushImage(room: Room, target: string, image = baseImage): Promise<void> {
  await run(inRoom(room, "buildah", "push", "--quiet", plainHttp, image, `docker://${target}`));
}

/** Our build of an image, pushed. */
export function pushOurs(room: Room, target: string, ...args: readonly string[]): Command {
  return xbuild(room, "-t", target, "--push", plainHttp, ...args);
}

/** buildah's build of an image, and its push. */
export function pushPeer(room: Room, target: string, ...args: readonly string[]): Command {
  const script = `target=$1; shift; buildah build --layers ${plainHttp} -t "$target" "$@" && buildah push ${plainHttp} "$target"`;
  return inRoom(asPeer(room), "sh", "-c", script, "sh", target, ...args);
}
