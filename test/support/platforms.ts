import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Metadata, Project } from "./project.ts";
import type { Sandbox } from "./sandbox.ts";
import { assertStatus, type Outcome, type RunOptions } from "./xbuild.ts";

/** `--metadata-file` of a build for several platforms. */
export interface IndexMetadata {
  readonly "containerimage.descriptor": { mediaType: string; digest: string; size: number };
  readonly "containerimage.digest": string;
  readonly "image.name"?: string;
  readonly names: readonly string[];
  readonly digest: string;
  readonly upToDate: boolean;
  readonly platforms: readonly Omit<Metadata, "names">[];
}

export interface IndexBuilt extends Outcome {
  readonly metadata: IndexMetadata;
  /** `PLATFORM: NAME STATUS, ...` of each. */
  readonly layers: readonly string[];
}

const bothPlatforms = "--platform=linux/amd64,linux/386";

/**
 * Base images of two platforms, `localhost/base-amd64` and `localhost/base-386`: a machine of the first has both. The
 * programs in both are this machine's.
 */
export async function createPlatformBases(sandbox: Sandbox): Promise<void> {
  const context = join(sandbox.directory, "base");
  for (const architecture of ["amd64", "386"]) {
    const name = `localhost/base-${architecture}`;
    const flags = ["--quiet", "--layers=false", `--platform=linux/${architecture}`];
    await sandbox.exec("buildah", "build", ...flags, "-t", name, context);
  }
}

/** Builds for both platforms; `-t` is the project's name unless the words have another, or a list. */
export async function buildIndex(
  project: Project,
  words: readonly string[] = [],
  options: RunOptions = {},
): Promise<IndexBuilt> {
  const file = join(project.sandbox.directory, "index-metadata.json");
  const isNamed = words.some((word) => word === "-t" || word.startsWith("--manifest"));
  const name = isNamed ? [] : ["-t", project.name];
  const platforms = words.some((word) => /^--(?:platform|all-platforms)/.test(word))
    ? []
    : [bothPlatforms];
  const all = [...name, ...platforms, `--metadata-file=${file}`, ...words, project.context];
  const outcome = await project.run(all, options);
  assertStatus(outcome, 0);
  const metadata: IndexMetadata = JSON.parse(await readFile(file, "utf8"));
  const layers = metadata.platforms.map(describePlatform);
  return { ...outcome, metadata, layers };
}

function describePlatform({ platform, layers }: Omit<Metadata, "names">): string {
  const names = layers.map(({ name, status }) => `${name} ${status}`);
  return `${platform.os}/${platform.architecture}: ${names.join(", ")}`;
}
