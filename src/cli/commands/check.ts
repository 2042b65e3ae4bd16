import {
  checkContainerfile,
  type CheckOptions,
  type Containerfile,
  type PlacedDiagnostic,
} from "../../containerfile/containerfile.ts";
import { describeEngine, type Engine, engineNames } from "../../engine/engine.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import { XbuildError } from "../../errors.ts";
import { usageError, isSet, lastValue, listValues } from "../line/arguments.ts";
import { type BuildCommandLine, readBuildLine } from "../line/build-line.ts";
import { readEngineName } from "../line/engine-name.ts";
import { type LenientLine, readLeniently } from "../line/lenient.ts";
import { refuseValue } from "../line/values.ts";
import { findFormat, formatNames, type Report } from "../report/check-formats.ts";
import type { CliIo } from "../io.ts";
import { show, type Visible } from "../../visible.ts";
import type { PlatformLine } from "../request/by-platform.ts";
import { readParsed, resolveFor } from "../request/parsed.ts";
import { guessPlatform, listWritten } from "../request/platform.ts";
import { selectEngine } from "../request/select-engine.ts";
import { omitFlag, splitTargets } from "../request/targets.ts";
import { assertBuildable } from "./assert-buildable.ts";

const help = show`Usage: xbuild check [FLAGS] [FLAGS OF BUILD] [CONTEXT]

Says what is wrong with a Containerfile, or seldom meant, without building it. Flags of build say
what would be built: with the same ones check refuses what build refuses before it runs anything.

  -f, --file FILE             the Containerfile (- for standard input)
      --format FORMAT         ${formatNames.join(", ")} (text)
      --target STAGE          the stage that is to be built; repeatable
      --build-arg NAME=VALUE  a build argument
      --build-context NAME=…  a named context
      --platform OS/ARCH      the platform of the result; repeatable
      --engine NAME           ${engineNames.join(", ")}, whose version counts

Exit status: 0 with nothing found, 1 with findings, 125 where the command line itself is wrong.
`;

/**
 * `xbuild check`. @returns 0 where nothing was found, else 1
 * @throws XbuildError what `build` throws of its command line and the files that it names, behind the findings
 */
export async function runCheck(argv: readonly string[], io: CliIo): Promise<number> {
  const lenient = await readLine(argv, io);
  if (isSet(lenient.line, "help")) {
    io.stdout(help);
    return 0;
  }
  const format = readFormat(lenient.line);
  const lines = splitTargets(omitFlag(lenient.line, formatFlag)).map(({ line }) => line);
  const targets = await readTargets(lines, io);
  const { containerfile } = targets[0].parsed;
  const options = await readEngine(lenient.line, io);
  const findings = checkTargets(targets, options.check);
  const diagnostics = await underline(findings, containerfile);
  io.stdout(format({ diagnostics, source: containerfile.source, io }));
  for (const { line, parsed } of targets)
    await assertBuildable({ lenient: { ...lenient, line }, parsed, engine: options.engine }, io);
  return diagnostics.length === 0 ? 0 : 1;
}

/** Without an engine at hand that could say what it knows, our own flags are all. Errors: `usage` */
async function readLine(words: readonly string[], io: CliIo): Promise<LenientLine> {
  const read = readBuildLine(words);
  const lenient = await readLeniently({ words, read }, io).catch((error: unknown) => {
    throw read.error ?? error;
  });
  if (lenient.unknownFlag !== undefined) throw lenient.unknownFlag;
  const { operands, rest } = lenient.line;
  // Behind -- there may be the context alone, as with most commands.
  const contexts = [...operands, ...rest.filter((word) => !word.startsWith("-"))];
  if (contexts.length > 1) throw usageError("check takes one context");
  return { ...lenient, line: { ...lenient.line, operands: contexts } };
}

/** What the file means for each target. Errors: those of `readParsed` */
async function readTargets(
  lines: readonly BuildCommandLine[],
  io: CliIo,
): Promise<readonly [PlatformLine, ...PlatformLine[]]> {
  const [line, ...others] = lines;
  if (line === undefined) throw new RangeError("a command line has a target at least");
  const targets = lines.map((one) => lastValue(one, "target"));
  const listOthers = (own: BuildCommandLine): readonly (string | undefined)[] =>
    targets.filter((one) => one !== lastValue(own, "target"));
  const parsed = await readParsed({ line, otherTargets: listOthers(line) }, io);
  if (parsed === undefined) throw usageError("check reads one file, of this machine");
  return [
    { line, parsed },
    ...others.map((one): PlatformLine => {
      const its = { ...parsed, otherTargets: listOthers(one) };
      return { line: one, parsed: { ...its, graph: resolveFor(its, one, guessPlatform(one)) } };
    }),
  ];
}

/** What is found for any of the targets and platforms, once, in the order of the file. */
function checkTargets(
  targets: readonly PlatformLine[],
  options: CheckOptions,
): readonly PlacedDiagnostic[] {
  const graphs = targets.flatMap(({ line, parsed }) => {
    const [, ...more] = listWritten(line);
    return [parsed.graph, ...more.map((platform) => resolveFor(parsed, line, platform))].map(
      (graph) => ({ containerfile: parsed.containerfile, graph }),
    );
  });
  const all = graphs.map(({ containerfile, graph }) =>
    checkContainerfile(containerfile, graph, options),
  );
  if (all.length === 1) return all[0] ?? [];
  const found = new Map(all.flat().map((one) => [JSON.stringify(one), one]));
  return [...found.values()].sort((a, b) => offsetOf(a) - offsetOf(b));
}

function offsetOf({ span }: PlacedDiagnostic): number {
  return span?.start.offset ?? 0;
}

/** What underlines is loaded where there is something to underline. */
async function underline(
  findings: readonly PlacedDiagnostic[],
  containerfile: Containerfile,
): Promise<readonly Diagnostic[]> {
  if (findings.every(({ place }) => place === undefined)) return findings;
  const { underlineParts } = await import("../../containerfile/containerfile.ts");
  return underlineParts(findings, containerfile);
}

/** `--format` of build, which may stand beside it, has other values. */
const formatFlag = "format";

function readFormat(line: BuildCommandLine): (report: Report) => Visible {
  const given = listValues(line, formatFlag).filter((one) => one !== "oci" && one !== "docker");
  const name = given.at(-1) ?? "text";
  const format = findFormat(name);
  if (format !== undefined) return format;
  throw refuseValue("--format", name, formatNames);
}

interface CheckEngine {
  readonly check: CheckOptions;
  readonly engine: Pick<Engine, "ownFlags" | "isElsewhere">;
}

/** The installed engine, if one is: a file can be checked without. */
async function readEngine(line: BuildCommandLine, io: CliIo): Promise<CheckEngine> {
  try {
    const engine = selectEngine(line, io);
    return { check: { engine: await describeEngine(engine) }, engine };
  } catch (error) {
    const isNamed = readEngineName(lastValue(line, "engine"), io.env) !== undefined;
    if (error instanceof XbuildError && !isNamed)
      return { check: {}, engine: { ownFlags: new Set(), isElsewhere: false } };
    throw error;
  }
}
