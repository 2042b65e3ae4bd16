import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { tryParseJson } from "../../oci/oci.ts";
import { prepareFile } from "../../system/place-file.ts";
import { findTarget } from "../../system/target.ts";
import { show } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { type BuildStart, readBuildLine } from "../line/build-line.ts";
import type { Sources } from "../request/locate.ts";

/** One of several builds. */
export interface NamedBuild {
  readonly name: string;
  /** Behind `xbuild build`, without --metadata-file. */
  readonly words: readonly string[];
  /** The Containerfile, where it can be read but once. */
  readonly sources?: Sources | undefined;
}

export interface SeveralBuilds {
  readonly builds: readonly NamedBuild[];
  /** Gets an object with what each build's own file of that flag would have, by name. */
  readonly metadataFile: string | undefined;
}

/** `xbuild build`, as `commands/build.ts` has it. */
export type RunBuild = (start: BuildStart, io: CliIo) => Promise<number>;

/**
 * Builds one after another, up to the first that fails. @returns the exit status: that of the failure, else 0.
 * @throws what `runBuild` does
 */
export async function buildSeveral(
  { builds, metadataFile }: SeveralBuilds,
  runBuild: RunBuild,
  io: CliIo,
): Promise<number> {
  if (metadataFile === undefined) return runAll(builds, runBuild, io);
  const path = resolve(io.cwd, metadataFile);
  const what = `--metadata-file ${metadataFile}`;
  findTarget(path, what);
  const directory = await mkdtemp(join(tmpdir(), "xbuild-metadata-"));
  try {
    const files = builds.map(({ name }, index) => ({
      name,
      path: join(directory, `${index}.json`),
    }));
    const told = builds.map((build, index) => ({
      ...build,
      words: [`--metadata-file=${files[index]?.path}`, ...build.words],
    }));
    const status = await runAll(told, runBuild, io);
    if (status !== 0) return status;
    const content = [await joinFiles(files)];
    const file = await prepareFile({
      path,
      what,
      content,
      signal: io.signal,
      onWait: () => undefined,
    });
    await file.place();
    return 0;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function runAll(
  builds: readonly NamedBuild[],
  runBuild: RunBuild,
  io: CliIo,
): Promise<number> {
  for (const [index, { name, words, sources }] of builds.entries()) {
    io.signal.throwIfAborted();
    const read = readBuildLine(words);
    const isQuiet = words.includes("--quiet") || words.includes("-q");
    if (!isQuiet) io.stderr(show`[${index + 1}/${builds.length}] ${name}\n`);
    const start = { words, read, ...(sources === undefined ? {} : { sources }) };
    const status = await runBuild(start, io);
    if (status !== 0) return status;
  }
  return 0;
}

async function joinFiles(
  files: readonly { readonly name: string; readonly path: string }[],
): Promise<Buffer> {
  const entries = new Map<string, unknown>();
  for (const { name, path } of files) {
    const bytes = await readFile(path);
    entries.set(name, tryParseJson(bytes));
  }
  return Buffer.from(`${JSON.stringify(Object.fromEntries(entries), undefined, 2)}\n`);
}
