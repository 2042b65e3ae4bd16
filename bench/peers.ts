import { withBuildKit, type BuildKit } from "./buildkit.ts";
import { findNewerBuildahs, type Buildah } from "./buildahs.ts";
import { findProgram, readVersion } from "./programs.ts";
import type { Room } from "./room.ts";

/** Who else does what we do, as far as it is here. */
export interface Peers {
  readonly buildKit: BuildKit | undefined;
  /** Those on PATH that are newer than the one that xbuild has as its engine. */
  readonly buildahs: readonly Buildah[];
  /** By the program's name. */
  readonly versions: Readonly<Record<string, string>>;
}

export interface PeerOptions {
  /** Whether anything is built: BuildKit, which may have to be made first, does nothing else. */
  readonly isBuilding: boolean;
}

/** Runs with the peers that are here; who is not is told and left out. */
export async function withPeers<T>(
  room: Room,
  { isBuilding }: PeerOptions,
  use: (peers: Peers) => Promise<T>,
): Promise<T> {
  const buildahs = await findNewerBuildahs(room);
  if (buildahs.length === 0) leaveOut("a newer buildah", "no buildah-VERSION is on PATH");
  const others: (readonly [name: string, version: string])[] = [];
  for (const name of ["buildah", "skopeo", "pigz", "chunkah"]) {
    const program = await findProgram(name);
    if (program === undefined) leaveOut(name, "it is not on PATH");
    else others.push([name, await readVersion(program)]);
  }
  return withBuildKit(room, isBuilding, (buildKit) => {
    const kits = buildKit === undefined ? [] : [["buildkitd", buildKit.version] as const];
    const newer = buildahs.map(({ version }) => version).join(" and ");
    const more = newer === "" ? [] : [["newer buildah", newer] as const];
    const versions = Object.fromEntries([...others, ...more, ...kits]);
    return use({ buildKit, buildahs, versions });
  });
}

function leaveOut(name: string, reason: string): void {
  process.stderr.write(`    ${name} was left out: ${reason}\n`);
}
