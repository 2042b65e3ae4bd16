import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "./measure.ts";
import { findProgram, findPrograms, readVersion } from "./programs.ts";
import { emptyStorage, inRoom, makeBase, setStorage, type Room } from "./room.ts";

/** Another buildah than the one that xbuild has as its engine, with a storage of its own. */
export interface Buildah {
  /** `buildah 1.43.0`. */
  readonly name: string;
  readonly version: string;
  readonly build: (tag: string, file: string, context: string) => Command;
  /** As `resetRoom`: forgets all that it has built. */
  readonly reset: () => Promise<void>;
}

/** Those on PATH, as `buildah` or `buildah-VERSION`, that are newer than the first; one of each version. */
export async function findNewerBuildahs(room: Room): Promise<readonly Buildah[]> {
  const first = await findProgram("buildah");
  if (first === undefined) return [];
  const versions = new Map<string, string>();
  const own = await readVersion(first);
  for (const program of await findPrograms(/^buildah(?:-[\d.]+)?$/)) {
    const version = await readVersion(program);
    if (isNewer(version, own) && !versions.has(version)) versions.set(version, program);
  }
  return Promise.all([...versions].map(([version, program]) => open(room, version, program)));
}

function isNewer(version: string, than: string): boolean {
  return version.localeCompare(than, "en", { numeric: true }) > 0;
}

async function open(room: Room, version: string, program: string): Promise<Buildah> {
  const directory = join(room.directory, `buildah-${version}`);
  await mkdir(join(directory, "bin"), { recursive: true });
  await symlink(program, join(directory, "bin/buildah"));
  const own = { ...room, directory, env: await setStorage(directory, room.env) };
  own.env["PATH"] = `${directory}/bin:${room.env["PATH"] ?? ""}`;
  await makeBase(own);
  const words = ["buildah", "build", "--layers"];
  return {
    name: `buildah ${version}`,
    version,
    build: (tag, file, context) => inRoom(own, ...words, "-t", tag, "-f", file, context),
    reset: async () => {
      await emptyStorage(own);
      await makeBase(own);
    },
  };
}
