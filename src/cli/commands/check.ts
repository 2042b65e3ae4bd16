import {
  checkContainerfile,
  type CheckOptions,
  type Containerfile,
  parseContainerfile,
  type PlacedDiagnostic,
  type ResolveOptions,
  resolveStages,
} from "../../containerfile/containerfile.ts";
import { describeEngine, engineNames, findEngine } from "../../engine/engine.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import { XbuildError } from "../../errors.ts";
import {
  type FlagSpec,
  type GivenFlags,
  parseCommandLine,
  usageError,
  helpFlag,
  isSet,
  lastValue,
  listValues,
} from "../line/arguments.ts";
import { readEngineName } from "../line/engine-name.ts";
import { findFormat, formatNames, type Report } from "../report/check-formats.ts";
import type { CliIo } from "../io.ts";
import { show, type Visible } from "../../visible.ts";
import { locateSources } from "../request/locate.ts";
import { hostPlatform } from "../line/build-line.ts";
import { refuseValue, splitPair } from "../line/values.ts";

const flags: readonly FlagSpec[] = [
  { name: "file", short: "f", kind: "value" },
  { name: "format", kind: "value" },
  { name: "target", kind: "value" },
  { name: "build-arg", kind: "value" },
  { name: "build-context", kind: "value" },
  { name: "platform", kind: "value" },
  { name: "engine", kind: "value" },
  helpFlag,
];

const help = show`Usage: xbuild check [FLAGS] [CONTEXT]

Says what is wrong with a Containerfile, or seldom meant, without building it.

  -f, --file FILE             the Containerfile (- for standard input)
      --format FORMAT         ${formatNames.join(", ")} (text)
      --target STAGE          the stage that is to be built; repeatable
      --build-arg NAME=VALUE  a build argument
      --build-context NAME=…  a named context
      --platform OS/ARCH      the platform of the result
      --engine NAME           ${engineNames.join(" or ")}, whose version counts

Exit status: 0 with nothing found, 1 with findings.
`;

/** `xbuild check`. @returns 0 where nothing was found, else 1. @throws XbuildError `usage`, `file-not-found` */
export async function runCheck(argv: readonly string[], io: CliIo): Promise<number> {
  const line = parseCommandLine(argv, flags);
  if (isSet(line, "help")) {
    io.stdout(help);
    return 0;
  }
  const format = readFormat(lastValue(line, "format") ?? "text");
  const operands = [...line.operands, ...line.rest];
  if (operands.length > 1) throw usageError("check takes one context");
  const { file, bytes } = await locateSources(
    { file: lastValue(line, "file"), context: operands[0] },
    io,
  );
  const containerfile = parseContainerfile(bytes, file);
  const options = await readEngine(lastValue(line, "engine"), io);
  const findings = checkTargets(containerfile, listOptions(line, io), options);
  const diagnostics = await underline(findings, containerfile);
  const { source } = containerfile;
  io.stdout(format({ diagnostics, source, io }));
  return diagnostics.length === 0 ? 0 : 1;
}

/** What is found for any of the targets, once, in the order of the file. */
function checkTargets(
  containerfile: Containerfile,
  targets: readonly ResolveOptions[],
  options: CheckOptions,
): readonly PlacedDiagnostic[] {
  const all = targets.flatMap((target) =>
    checkContainerfile(containerfile, resolveStages(containerfile, target), options),
  );
  if (targets.length === 1) return all;
  const found = new Map(all.map((one) => [JSON.stringify(one), one]));
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

function readFormat(name: string): (report: Report) => Visible {
  const format = findFormat(name);
  if (format !== undefined) return format;
  throw refuseValue("--format", name, formatNames);
}

/** One for each target; without --target, one for the last stage. */
function listOptions(line: GivenFlags, io: CliIo): readonly ResolveOptions[] {
  const buildArgs = listValues(line, "build-arg").flatMap((word): [string, string][] => {
    const [name, value = io.env[name]] = splitPair(word);
    return value === undefined ? [] : [[name, value]];
  });
  const common = {
    buildArgs: new Map(buildArgs),
    buildContexts: new Set(listValues(line, "build-context").map((word) => splitPair(word)[0])),
    targetPlatform: lastValue(line, "platform")?.split(",")[0] ?? hostPlatform(),
    buildPlatform: hostPlatform(),
  };
  const targets = new Set(listValues(line, "target"));
  if (targets.size === 0) return [common];
  return Array.from(targets, (target) => ({
    ...common,
    target,
    otherTargets: [...targets].filter((one) => one !== target),
  }));
}

/** The installed engine, if one is: a file can be checked without. */
async function readEngine(given: string | undefined, io: CliIo): Promise<CheckOptions> {
  const name = readEngineName(given, io.env);
  try {
    const engine = findEngine(name, [], io.env["PATH"]);
    return { engine: await describeEngine(engine) };
  } catch (error) {
    if (error instanceof XbuildError && name === undefined) return {};
    throw error;
  }
}
