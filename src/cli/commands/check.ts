import {
  checkContainerfile,
  type CheckOptions,
  type Containerfile,
  parseContainerfile,
  type PlacedDiagnostic,
  resolveStages,
} from "../../containerfile/containerfile.ts";
import { describeEngine, engineNames, findEngine } from "../../engine/engine.ts";
import type { Diagnostic } from "../../diagnostics.ts";
import { XbuildError } from "../../errors.ts";
import { suggestName } from "../../suggest.ts";
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
import { splitPair } from "../line/values.ts";

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
      --target STAGE          the stage that is to be built
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
  const graph = resolveStages(containerfile, readOptions(line, io));
  const options = await readEngine(lastValue(line, "engine"), io);
  const findings = checkContainerfile(containerfile, graph, options);
  const diagnostics = await underline(findings, containerfile);
  const { source } = containerfile;
  io.stdout(format({ diagnostics, source, io }));
  return diagnostics.length === 0 ? 0 : 1;
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
  const suggestion = suggestName(name, formatNames);
  throw usageError(
    `--format cannot be ${name}`,
    suggestion === undefined
      ? `use one of ${formatNames.join(", ")}`
      : `did you mean ${suggestion}?`,
  );
}

function readOptions(line: GivenFlags, io: CliIo): Parameters<typeof resolveStages>[1] {
  const target = lastValue(line, "target");
  const buildArgs = listValues(line, "build-arg").flatMap((word): [string, string][] => {
    const [name, value = io.env[name]] = splitPair(word);
    return value === undefined ? [] : [[name, value]];
  });
  return {
    ...(target === undefined ? {} : { target }),
    buildArgs: new Map(buildArgs),
    buildContexts: new Set(listValues(line, "build-context").map((word) => splitPair(word)[0])),
    targetPlatform: lastValue(line, "platform")?.split(",")[0] ?? hostPlatform(),
    buildPlatform: hostPlatform(),
  };
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
