import { join } from "node:path";
import { renderPlatform } from "../../oci/oci.ts";
import { asPart } from "../../delivery/delivery.ts";
import type { Engine } from "../../engine/engine.ts";
import {
  type BuildRequest,
  buildIntoList,
  buildPlatforms,
  type BuildWorkspace,
  type PlatformBuild,
} from "../../pipeline/pipeline.ts";
import { createPlan } from "../../plan/plan.ts";
import type { CliIo } from "../io.ts";
import type { ResultFiles } from "../report/result-files.ts";
import { reportIndex } from "../report/index-result.ts";
import { reportResult, type ResultOptions } from "../report/result.ts";
import { lacksOutput, type PlatformLine, splitByPlatform } from "../request/by-platform.ts";
import { assertRoomForSeveral } from "../request/delivery-request.ts";
import { type Warn, warnOnce } from "../request/findings.ts";
import { reportFindings } from "../request/parsed.ts";
import { createRequest } from "../request/request.ts";
import {
  createBuildReporter,
  createResultOptions,
  createWorkspace,
  type OutputBuild,
  prepareFiles,
  readJobs,
  withReport,
  withWords,
} from "./build-workspace.ts";

/**
 * Builds a target with an OUTPUT for several platforms, or into a list (`--manifest`). @returns the exit status
 * @throws XbuildError
 */
export async function buildForPlatforms(build: OutputBuild, terminal: CliIo): Promise<number> {
  const { engine } = build;
  const lines = await splitByPlatform(build, terminal);
  const made = await Promise.all(
    lines.map(({ line, parsed }) => createRequest(line, { parsed, engine }, terminal)),
  );
  const requests = made.length > 1 ? made.map(keepApart) : made;
  const [first] = requests;
  if (first === undefined) throw new RangeError("a build is for one platform at least");
  if (requests.length > 1) assertRoomForSeveral(first.delivery);
  const shown = createResultOptions(build.line, first);
  const io = withWords(terminal, build, first.delivery.destinations);
  const reporter = createBuildReporter(io, build, shown);
  const warn = warnOnce(reporter.warn, build.beside?.told);
  const builds = await planBuilds(lines, engine, { warn, requests });
  const started = Date.now();
  const work = await createWorkspace(build, reporter, terminal);
  const files = await prepareFiles(build.line, terminal, work);
  const options = { ...shown, started };
  const told = withReport(io, build);
  try {
    const { delivery } = first;
    return builds.length > 1
      ? await makeIndex(
          builds,
          { delivery, jobs: readJobs(build.line), files, options },
          { work, io: told },
        )
      : await addOne(builds, { request: first, files, options }, { work, io: told });
  } finally {
    await files?.discard();
  }
}

/** Each platform's outputs have a directory of their own. */
function keepApart(request: BuildRequest): BuildRequest {
  const { layers, reuse } = request;
  if (layers.keepOutput === undefined) return request;
  const name = renderPlatform(reuse.platform).replaceAll("/", "-");
  return { ...request, layers: { ...layers, keepOutput: join(layers.keepOutput, name) } };
}

interface Places {
  readonly work: BuildWorkspace;
  readonly io: CliIo;
}

interface ReportOptions extends Omit<ResultOptions, "milliseconds"> {
  /** Milliseconds since 1970. */
  readonly started: number;
}

interface IndexBuild {
  readonly delivery: BuildRequest["delivery"];
  readonly jobs: number;
  readonly files: ResultFiles | undefined;
  readonly options: ReportOptions;
}

async function makeIndex(
  builds: readonly PlatformBuild[],
  { delivery, jobs, files, options }: IndexBuild,
  { work, io }: Places,
): Promise<number> {
  const parts = builds.map(({ plan, request }) => ({
    plan,
    request: { ...request, delivery: asPart(delivery) },
  }));
  const result = await buildPlatforms(
    parts,
    { delivery, jobs, beforeNaming: files?.prepare },
    work,
  );
  if ("continuedElsewhere" in result) return result.continuedElsewhere;
  await files?.place(result);
  reportIndex(result, io, describeTime(options));
  return 0;
}

interface OneBuild {
  readonly request: BuildRequest;
  readonly files: ResultFiles | undefined;
  readonly options: ReportOptions;
}

/** One platform is an image as ever, which may be added to a list. */
async function addOne(
  [build]: readonly PlatformBuild[],
  { files, options }: OneBuild,
  { work, io }: Places,
): Promise<number> {
  if (build === undefined) throw new RangeError("a build is for one platform at least");
  const prepare = files === undefined ? {} : { beforeNaming: files.prepare };
  const result = await buildIntoList(build, { ...work, ...prepare });
  if ("continuedElsewhere" in result) return result.continuedElsewhere;
  await files?.place(result);
  await reportResult(result, io, describeTime(options));
  return 0;
}

function describeTime({ started, ...options }: ReportOptions): ResultOptions {
  return { ...options, milliseconds: Date.now() - started };
}

async function planBuilds(
  lines: readonly PlatformLine[],
  engine: Engine,
  { warn, requests }: { readonly warn: Warn; readonly requests: readonly BuildRequest[] },
): Promise<readonly PlatformBuild[]> {
  const builds: PlatformBuild[] = [];
  for (const [at, one] of lines.entries()) {
    const { parsed } = one;
    await reportFindings(parsed, engine, warn);
    const plan = createPlan(parsed.containerfile, parsed.graph);
    const request = requests[at];
    if (plan === undefined || request === undefined) throw lacksOutput(one);
    builds.push({ plan, request });
  }
  return builds;
}
