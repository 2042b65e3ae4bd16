import { createPlan, listPlans, omitOutputs } from "../../plan/plan.ts";
import { parseCommandLine, usageError, isSet } from "../line/arguments.ts";
import { buildFlags } from "../line/build-flags.ts";
import type { CliIo } from "../io.ts";
import {
  mentionsOutput,
  type NamedFile,
  needsOutput,
  readParsed,
  readSources,
  refuseMistyped,
  reportFindings,
} from "../request/parsed.ts";
import { selectEngine } from "../request/select-engine.ts";
import { lacksOutput, splitByPlatform } from "../request/by-platform.ts";
import { createRequest } from "../request/request.ts";
import { splitTargets } from "../request/targets.ts";
import { printData } from "../report/text.ts";
import { show } from "../../visible.ts";

const help = show`Usage: xbuild expand [FLAGS OF BUILD] [CONTEXT]

Shows what a build would ask of the engine: a shell script with each call and its plain
Containerfile, in order; of several targets one script behind the other. Nothing is built. A file without OUTPUT is given back as it is. Secrets and
build arguments that look like secrets are masked.
`;

/** `xbuild expand`. @returns 0. @throws XbuildError as `build` does, for what is wrong before it runs. */
export async function runExpand(words: readonly string[], io: CliIo): Promise<number> {
  const line = parseCommandLine(words, buildFlags);
  if (isSet(line, "help")) {
    io.stdout(help);
    return 0;
  }
  const targets = splitTargets(line);
  // Several targets are of one file, which may be such that it is read but once.
  const sources = targets.length > 1 ? await readSources(line, io) : undefined;
  for (const { line: own, target } of targets) {
    const script = await expandLine({ line: own, sources }, io);
    const head = targets.length === 1 ? "" : `# The target ${target}\n`;
    printData(io, Buffer.concat([Buffer.from(head), script]));
  }
  return 0;
}

/** @throws XbuildError */
async function expandLine(named: NamedFile, io: CliIo): Promise<Uint8Array> {
  const { line } = named;
  const parsed = await readParsed(named, io);
  if (parsed === undefined)
    throw usageError("expand reads one file", "put all stages into one file");
  const { containerfile } = parsed;
  await refuseMistyped(parsed, () => selectEngine(line, io));
  if (!mentionsOutput(containerfile) || !needsOutput(parsed))
    return Buffer.from(omitOutputs(containerfile), "latin1");
  const engine = selectEngine(line, io);
  const scripts: string[] = [];
  const platforms = await splitByPlatform({ line, parsed, engine }, io);
  for (const one of platforms) {
    await reportFindings(one.parsed, engine, () => undefined);
    const plan = createPlan(containerfile, one.parsed.graph);
    if (plan === undefined) throw lacksOutput(one);
    const { steps } = await createRequest(one.line, { parsed, engine }, io);
    const head = platforms.length === 1 ? "" : `# For ${steps.platform}\n`;
    scripts.push(head + (await engine.renderScript(listPlans(plan), steps)));
  }
  return Buffer.from(scripts.join(""), "latin1");
}
