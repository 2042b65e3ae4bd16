import type { Engine } from "../../engine/engine.ts";
import { assertDirectories } from "../../pipeline/pipeline.ts";
import { createPlan } from "../../plan/plan.ts";
import type { CliIo } from "../io.ts";
import { lastValue } from "../line/arguments.ts";
import type { LenientLine } from "../line/lenient.ts";
import { judgeResultPaths } from "../report/result-files.ts";
import { lacksOutput, type PlatformLine, splitByNamed } from "../request/by-platform.ts";
import { assertRoomForSeveral } from "../request/delivery-request.ts";
import { assertKeepOutput } from "../request/empty-directory.ts";
import type { Parsed } from "../request/parsed.ts";
import { asksForSeveral } from "../request/platform.ts";
import { readAccess } from "../request/registries.ts";
import { readReports, readShownLayers } from "../request/report-request.ts";
import { createRequest } from "../request/request.ts";
import { findStoreDirectory } from "../request/store-directory.ts";
import { isForEngine } from "../request/whose.ts";
import { readJobs } from "./build-workspace.ts";
import { assertForEngine } from "./pass-through.ts";

/** A command line that is not to be built, and what its file means. */
export interface Judged {
  readonly lenient: LenientLine;
  readonly parsed: Parsed;
  readonly engine: Pick<Engine, "ownFlags" | "isElsewhere">;
}

/**
 * Refuses what `xbuild build` would refuse of a command line before it calls an engine or a registry, its file's own
 * findings aside.
 * @throws XbuildError as `build` does
 */
export async function assertBuildable(judged: Judged, io: CliIo): Promise<void> {
  const { lenient, parsed, engine } = judged;
  const { line } = lenient;
  if (isForEngine(parsed, line)) return assertForEngine(lenient);
  if (lenient.refusal !== undefined) throw lenient.refusal;
  const lines = splitByNamed({ line, parsed });
  for (const one of lines) await assertPlatform(one, { engine, isOne: lines.length === 1 }, io);
  readAccess(line, io);
  readJobs(line);
  findStoreDirectory(io);
  readShownLayers(line);
  const [iidFile, metadataFile] = [lastValue(line, "iidfile"), lastValue(line, "metadata-file")];
  judgeResultPaths({ iidFile, metadataFile, reports: readReports(line) }, io);
  await assertKeepOutput(line, io);
}

async function assertPlatform(
  one: PlatformLine,
  { engine, isOne }: Pick<Judged, "engine"> & { readonly isOne: boolean },
  io: CliIo,
): Promise<void> {
  const { line, parsed } = one;
  const request = await createRequest(line, { parsed, engine }, io);
  if (!isOne) assertRoomForSeveral(request.delivery);
  const plan = createPlan(parsed.containerfile, parsed.graph);
  if (plan === undefined && (!isOne || asksForSeveral(line))) throw lacksOutput(one);
  if (plan !== undefined) await assertDirectories(plan, request);
}
