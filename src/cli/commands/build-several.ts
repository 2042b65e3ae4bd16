import { joinSignals } from "../../system/signals.ts";
import { createShared } from "../../pipeline/pipeline.ts";
import { show, type Visible } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { type BuildStart, readBuildLine } from "../line/build-line.ts";
import type { Sources } from "../request/locate.ts";
import type { WantedReport } from "../request/report-request.ts";
import { listOtherTargets } from "./same-file.ts";

/** One of several builds. */
export interface NamedBuild {
  readonly name: string;
  /** Behind `xbuild build`, without --metadata-file and --report. */
  readonly words: readonly string[];
  /** The Containerfile, where it can be read but once. */
  readonly sources?: Sources | undefined;
}

export interface SeveralBuilds {
  readonly builds: readonly NamedBuild[];
  /** Gets an object with what each build's own file of that flag would have, by name. */
  readonly metadataFile: string | undefined;
  /** Each gets what the builds' own would have. */
  readonly reports: readonly WantedReport[];
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
  { builds, metadataFile, reports, jobs, isLinked = false }: SeveralBuilds,
  runBuild: RunBuild,
  io: CliIo,
): Promise<number> {
  await assertKeepable(builds, io);
  const common = { shared: createShared(jobs, true), told: new Set<string>() };
  const runAll = (all: readonly NamedBuild[], words: CliIo = io): Promise<number> =>
    jobs === 1 || isLinked
      ? runInOrder(all, { runBuild, common }, words)
      : runSideBySide(all, { runBuild, common }, words);
  if (metadataFile === undefined && reports.length === 0) return runAll(builds);
  const { withJointFiles } = await import("./joint-files.ts");
  return withJointFiles({ builds, metadataFile, reports }, runAll, io);
}

async function assertKeepable(builds: readonly NamedBuild[], io: CliIo): Promise<void> {
  const { assertKeepOutput } = await import("../request/empty-directory.ts");
  for (const { words } of builds) {
    const { line } = readBuildLine(words);
    if (line !== undefined) await assertKeepOutput(line, io);
  }
}

interface Running {
  readonly runBuild: RunBuild;
  readonly common: Pick<Beside, "shared" | "told">;
}

type Beside = NonNullable<BuildStart["beside"]>;

async function runInOrder(
  builds: readonly NamedBuild[],
  { runBuild, common }: Running,
  io: CliIo,
): Promise<number> {
  const others = listOtherTargets(builds);
  for (const [index, build] of builds.entries()) {
    io.signal.throwIfAborted();
    const { name, words } = build;
    const isQuiet = words.includes("--quiet") || words.includes("-q");
    if (!isQuiet) io.stderr(show`[${index + 1}/${builds.length}] ${name}\n`);
    const beside = { ...common, label: undefined, otherTargets: others[index] ?? [] };
    const status = await runBuild(startBuild(build, beside), io);
    if (status !== 0) return status;
  }
  return 0;
}

/** How many images are made at a time is `shared`'s to say. */
async function runSideBySide(
  builds: readonly NamedBuild[],
  { runBuild, common }: Running,
  io: CliIo,
): Promise<number> {
  const others = listOtherTargets(builds);
  const stop = new AbortController();
  const signal = joinSignals([io.signal, stop.signal]);
  const failures: unknown[] = [];
  const reports = builds.map((): (Visible | Uint8Array)[] => []);
  const statuses = await Promise.all(
    builds.map(async (build, at) => {
      const report = (text: Visible | Uint8Array): void => void reports[at]?.push(text);
      const beside = { ...common, label: build.name, report, otherTargets: others[at] ?? [] };
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

function startBuild({ words, sources }: NamedBuild, beside: Beside): BuildStart {
  const read = readBuildLine(words);
  return { words, read, beside, ...(sources === undefined ? {} : { sources }) };
}
