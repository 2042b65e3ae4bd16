import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BuildKit } from "./buildkit.ts";
import { run, type Command } from "./measure.ts";
import type { Peers } from "./peers.ts";
import { plainHttp, pushImage, withRegistry, type BenchRegistry } from "./registry.ts";
import { inRoom, type Room } from "./room.ts";

/** A context of many layers, a registry with the frontend and the base, and a BuildKit that builds with both. */
export interface FrontendBench {
  readonly registry: BenchRegistry;
  readonly buildKit: BuildKit;
  /** `pkgs/NAME/file` for each of the names, in their order. */
  readonly context: string;
  readonly packages: readonly string[];
  /** The base, as the files name it. */
  readonly base: string;
  /** Builds this text with our frontend, and pushes; the image of the other name is the previous one. */
  readonly ours: (text: string, push: string, previous?: string) => Promise<Command>;
  /** Builds it with BuildKit's own frontend, and pushes. */
  readonly plain: (text: string, push: string, words?: readonly string[]) => Promise<Command>;
}

export const layerCount = 120;
/** Of what a layer has in it, in bytes that nobody can compress. */
const layerSize = 512 * 1024;

/** Errors: where there is no BuildKit, for then there is nothing to measure. */
export async function withFrontend<T>(
  room: Room,
  { buildKit }: Peers,
  use: (bench: FrontendBench) => Promise<T>,
): Promise<T> {
  if (buildKit === undefined) throw new Error("there is no BuildKit");
  const directory = await mkdtemp(join(room.directory, "frontend-"));
  try {
    return await withRegistry(room, async (registry) => {
      const base = `${registry.host}/base:1`;
      await pushImage(room, base);
      const frontend = await pushFrontend(room, registry.host);
      const context = join(directory, "context");
      const packages = await writeLayers(context);
      const builds = createBuilds(buildKit, { directory, context, frontend });
      return use({ registry, buildKit, context, packages, base, ...builds });
    });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Makes the frontend's image of what is built here. @returns what `# syntax=` names it by */
async function pushFrontend(room: Room, host: string): Promise<string> {
  const name = `${host}/xbuild`;
  const words = ["-q", plainHttp, "-t", name, "--push"];
  await run(inRoom(room, process.execPath, "scripts/frontend-image.mjs", ...words));
  return name;
}

/** @returns the names */
async function writeLayers(context: string): Promise<readonly string[]> {
  const names = Array.from(
    { length: layerCount },
    (_, index) => `l${String(index).padStart(3, "0")}`,
  );
  for (const name of names) {
    const directory = join(context, "pkgs", name);
    await mkdir(directory, { recursive: true });
    await writeFile(join(directory, "file"), randomBytes(layerSize));
  }
  return names;
}

interface Places {
  readonly directory: string;
  readonly context: string;
  readonly frontend: string;
}

function createBuilds(
  buildKit: BuildKit,
  { directory, context, frontend }: Places,
): Pick<FrontendBench, "ours" | "plain"> {
  let files = 0;
  const plain: FrontendBench["plain"] = async (text, push, words = []) => {
    files += 1;
    const file = join(directory, `Dockerfile.${files}`);
    await writeFile(file, text);
    return buildKit.build({ context, file, push, words });
  };
  const ours: FrontendBench["ours"] = (text, push, previous = push) => {
    const words = [`--import-cache=type=registry,ref=${previous}`];
    return plain(`# syntax=${frontend}\n${text}`, push, words);
  };
  return { plain, ours };
}
