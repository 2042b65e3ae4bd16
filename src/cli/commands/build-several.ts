import { joinSignals } from "../../system/signals.ts";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createShared, type Shared } from "../../pipeline/pipeline.ts";
import { tryParseJson } from "../../oci/oci.ts";
import { prepareFile } from "../../system/place-file.ts";
import { findTarget } from "../../system/target.ts";
import { show, type Visible } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { type BuildStart, readBuildLine } from "../line/build-line.ts";
import { readProgress } from "../line/progress.ts";
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
  /** How many images are made at a time; 0: as many as there are. */
  readonly jobs: number;
  /** Whether one may be made of another, so that they are built one after another. */
  readonly isLinked?: boolean;
}

/** `xbuild build`, as `commands/build.ts` has it. */
export type RunBuild = (start: BuildStart, io: CliIo) => Promise<number>;

/**
 * Builds one after another, or side by side; what they have in common once. The first one that fails ends it. @returns the exit status: that of the failure, else 0.
 * @throws what `runBuild` does
 */
export async function buildSeveral(
  { builds, metadataFile, jobs, isLinked = false }: SeveralBuilds,
  runBuild: RunBuild,
  io: CliIo,
): Promise<number> {
  const shared = createShared(jobs, true);
  const runAll = (all: readonly NamedBuild[]): Promise<number> =>
    jobs === 1 || isLinked
      ? runInOrder(all, { runBuild, shared }, io)
      : runSideBySide(all, { runBuild, shared }, io);
  if (metadataFile === undefined) return runAll(builds);
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
    const status = await runAll(told);
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

interface Running {
  readonly runBuild: RunBuild;
  readonly shared: Shared;
}

async function runInOrder(
  builds: readonly NamedBuild[],
  { runBuild, shared }: Running,
  io: CliIo,
): Promise<number> {
  for (const [index, build] of builds.entries()) {
    io.signal.throwIfAborted();
    const { name, words } = build;
    if (mayTitle(words, io)) io.stderr(show`[${index + 1}/${builds.length}] ${name}\n`);
    const status = await runBuild(startBuild(build, { shared, label: undefined }), io);
    if (status !== 0) return status;
  }
  return 0;
}

/** Not where nothing is told, nor where a program reads what is. */
function mayTitle(words: readonly string[], io: CliIo): boolean {
  const { line } = readBuildLine(words);
  const mode = line === undefined ? "auto" : readProgress(line, io);
  return mode !== "quiet" && mode !== "rawjson";
}

/** How many images are made at a time is `shared`'s to say. */
async function runSideBySide(
  builds: readonly NamedBuild[],
  { runBuild, shared }: Running,
  io: CliIo,
): Promise<number> {
  const stop = new AbortController();
  const signal = joinSignals([io.signal, stop.signal]);
  const failures: unknown[] = [];
  const reports = builds.map((): (Visible | Uint8Array)[] => []);
  const statuses = await Promise.all(
    builds.map(async (build, at) => {
      const report = (text: Visible | Uint8Array): void => void reports[at]?.push(text);
      const beside = { shared, label: build.name, report };
      try {
        const status = await runBuild(startBuild(build, beside), { ...io, signal });
        if (status !== 0) stop.abort();
        return status;
      } catch (error) {
        failures.push(error);
        stop.abort();
        return 0;
      }
    }),
  );
  for (const text of reports.flat()) io.stdout(text);
  const failed = statuses.find((status) => status !== 0);
  if (failed === undefined && failures.length > 0) throw failures[0];
  return failed ?? 0;
}

function startBuild(
  { words, sources }: NamedBuild,
  beside: NonNullable<BuildStart["beside"]>,
): BuildStart {
  const read = readBuildLine(words);
  return { words, read, beside, ...(sources === undefined ? {} : { sources }) };
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
