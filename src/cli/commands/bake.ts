import type { Reporter } from "../../reporter.ts";
import { show } from "../../visible.ts";
import { toBuildWords } from "../bake/build-words.ts";
import { printByBuildx } from "../bake/buildx.ts";
import { createConfig } from "../bake/config.ts";
import { readDefinition } from "../bake/definition.ts";
import type { BakeDocument } from "../bake/document.ts";
import { type BakeBuild, isLink, linkBuilds } from "../bake/links.ts";
import { parseBakeFiles, readBakeFiles } from "../bake/load.ts";
import { renderBake } from "../bake/print.ts";
import { type BakeRequest, resolveBake, type ResolvedBake } from "../bake/resolve.ts";
import { listUnknownKeys } from "../bake/unknown-keys.ts";
import { createScope, type Surroundings } from "../bake/variables.ts";
import type { CliIo } from "../io.ts";
import {
  type CommandLine,
  type FlagSpec,
  helpFlag,
  isSet,
  lastValue,
  listValues,
  parseCommandLine,
  readBoolean,
  usageError,
} from "../line/arguments.ts";
import { hostPlatform, readBuildLine } from "../line/build-line.ts";
import { readProgress } from "../line/progress.ts";
import { splitPair } from "../line/values.ts";
import { isRemoteContext, locateContext, type Sources } from "../request/locate.ts";
import { readReports } from "../request/report-request.ts";
import { createReporter } from "../report/reporter.ts";
import { runBuild } from "./build.ts";
import { buildSeveral, type NamedBuild } from "./build-several.ts";
import { readJobs } from "./build-workspace.ts";

const flags: readonly FlagSpec[] = [
  { name: "file", short: "f", kind: "value" },
  { name: "set", kind: "value" },
  { name: "var", kind: "value" },
  { name: "print", kind: "boolean" },
  { name: "push", kind: "boolean" },
  { name: "load", kind: "boolean" },
  { name: "no-cache", kind: "boolean" },
  { name: "pull", kind: "boolean" },
  { name: "jobs", kind: "value" },
  { name: "metadata-file", kind: "value" },
  { name: "report", kind: "value" },
  { name: "progress", kind: "value" },
  { name: "engine", kind: "value" },
  { name: "builder", kind: "value" },
  { name: "allow", kind: "value" },
  { name: "provenance", kind: "optional" },
  { name: "sbom", kind: "optional" },
  helpFlag,
];

const help = show`Usage: xbuild bake [FLAGS] [TARGET...] [-- FLAGS OF BUILD]

Builds the targets of a bake file (docker-bake.json), as docker buildx bake does. Without TARGET it is the group
or target "default". Files in HCL are read by docker buildx bake --print, where that is installed.

  -f, --file FILE           the bake file (- for standard input); repeatable, later ones override
      --set TARGET.KEY=VALUE   changes a target: '*.args.A=1', app.tags+=NAME, ...; repeatable
      --var NAME=VALUE      sets a variable of the file; repeatable
      --print               print what would be built, as JSON, and build nothing
      --push                push the images to the registries that their names say
      --load                load them into the engine's storage, too
      --no-cache            build even if nothing changed
      --pull                ask registries for every base image
      --jobs N              how many targets and stages are built side by side (default 1; 0: all)
      --metadata-file FILE  write what came out to FILE as JSON, by target
      --report [FORMAT:]FILE   write what changed to FILE, as json or markdown; repeatable
      --progress MODE       auto, plain, tty, rawjson or quiet, as with xbuild build
      --engine NAME         who does the steps, as with xbuild build
      --builder NAME[,NAME] the builders of BuildKit, as with xbuild build
      --allow WHAT          accepted

What stands after -- goes to every build: --tls-verify, --explain, ...
`;

/**
 * `xbuild bake`. @returns the exit status of the first build that fails, else 0
 * @throws XbuildError `usage`, `file-not-found`, `bake-*`, `buildx-failed`, and what `build` does
 */
export async function runBake(argv: readonly string[], io: CliIo): Promise<number> {
  const line = parseCommandLine(argv, flags);
  if (isSet(line, "help")) {
    io.stdout(help);
    return 0;
  }
  assertReportsBefore(line);
  const progress = readProgress(line, io);
  const { warn } = createReporter(io, { progress });
  const bake = await readBake(line, { io, warn });
  if (isSet(line, "print")) {
    io.stdout(renderBake(bake));
    return 0;
  }
  const builds = bake.targets.map((one): BakeBuild => ({
    name: one.name,
    words: toBuildWords(one),
    inline: one.target["dockerfile-inline"],
  }));
  const jobs = readJobs(line);
  const common = [
    ...(lastValue(line, "jobs") === undefined ? [] : [`--jobs=${jobs}`]),
    ...(lastValue(line, "progress") === undefined ? [] : [`--progress=${progress}`]),
    ...["engine", "builder"].flatMap((name) =>
      listValues(line, name).map((value) => `--${name}=${value}`),
    ),
    ...line.rest,
  ];
  const named: NamedBuild[] = [];
  const links = { cwd: io.cwd, loads: !(await isElsewhere(common, io)) };
  for (const build of linkBuilds(builds, links)) named.push(await nameBuild(build, common, io));
  const metadataFile = lastValue(line, "metadata-file");
  const reports = readReports(line);
  const isLinked = builds.some(({ words }) => words.some(isLink));
  return buildSeveral({ builds: named, metadataFile, reports, jobs, isLinked }, runBuild, io);
}

/** Whether the engine takes images from the store by their names, and not from a storage of its own. */
async function isElsewhere(words: readonly string[], io: CliIo): Promise<boolean> {
  const { line } = readBuildLine(words);
  if (line === undefined) return false;
  const { selectEngine } = await import("../request/select-engine.ts");
  return selectEngine(line, io).isElsewhere;
}

/** Each target's would take the place of the one before. */
function assertReportsBefore({ rest }: CommandLine): void {
  const report = rest.find((word) => /^--report(?:=|$)/.test(word));
  if (report === undefined) return;
  throw usageError(
    `${report} stands behind --`,
    "write it before --, for one file that tells of all targets",
  );
}

async function readBake(
  line: CommandLine,
  { io, warn }: Omit<Around, "surroundings">,
): Promise<ResolvedBake> {
  const names = line.operands;
  const remote = names.find(isRemoteContext);
  if (remote !== undefined)
    throw usageError(
      `${remote}: a bake file is read on this machine alone`,
      "clone it, and run bake there",
    );
  const surroundings = readSurroundings(line, io);
  const files = await readBakeFiles(listValues(line, "file"), io);
  const overrides = [...listValues(line, "set"), ...listShorthands(line)];
  const around = { surroundings, io, warn };
  const asked = { names, overrides, lookUp: surroundings.lookUp };
  if (!files.some((one) => one.isHcl))
    return resolveDocuments(parseBakeFiles(files), asked, around);
  const words = [
    ...overrides.map((one) => `--set=${one}`),
    ...listValues(line, "var").map((one) => `--var=${one}`),
  ];
  const printed = await printByBuildx({ files, flags: words, names }, io);
  // What was asked for is its default group, and all changes are made.
  return resolveDocuments([printed], { ...asked, names: [], overrides: [] }, around);
}

interface Around {
  readonly surroundings: Surroundings;
  readonly io: CliIo;
  readonly warn: Reporter["warn"];
}

function resolveDocuments(
  documents: readonly BakeDocument[],
  request: BakeRequest,
  { surroundings, warn }: Omit<Around, "io">,
): ResolvedBake {
  const definition = readDefinition(documents);
  for (const finding of listUnknownKeys(definition)) warn(finding);
  const config = createConfig(definition, createScope(definition, surroundings));
  return resolveBake(config, request);
}

/** Flags that are short for a --set. */
function listShorthands(line: CommandLine): readonly string[] {
  const sets = ["push", "load", "no-cache", "pull"].flatMap((name) =>
    listValues(line, name)
      .slice(-1)
      .map((value) => `*.${name}=${value}`),
  );
  const attests = ["provenance", "sbom"].flatMap((type) =>
    listValues(line, type)
      .slice(-1)
      .map((value) => `*.attest=type=${type}${renderAttest(value)}`),
  );
  return [...sets, ...attests];
}

function renderAttest(value: string): string {
  if (value === "" || value === "true") return "";
  return value === "false" ? ",disabled=true" : `,${value}`;
}

function readSurroundings(line: CommandLine, io: CliIo): Surroundings {
  const given = new Map(
    listValues(line, "var").map((word) => {
      const [name, value] = splitPair(word);
      if (value === undefined) throw usageError(`--var ${word} is not of the form NAME=VALUE`);
      return [name, value] as const;
    }),
  );
  const isClosed = readBoolean(io.env["BUILDX_BAKE_DISABLE_VARS_ENV_LOOKUP"] ?? "") === true;
  return {
    lookUp: (name) => given.get(name) ?? (isClosed ? undefined : io.env[name]),
    builtIn: new Map([
      ["BAKE_CMD_CONTEXT", "cwd://"],
      ["BAKE_LOCAL_PLATFORM", hostPlatform()],
    ]),
  };
}

async function nameBuild(
  { name, words, inline }: BakeBuild,
  common: readonly string[],
  io: CliIo,
): Promise<NamedBuild> {
  const all = [...common, ...words];
  const context = words.at(-1) ?? ".";
  if (inline === undefined) return { name, words: all };
  const path = await locateContext(context, io.cwd);
  const bytes = Buffer.from(inline);
  const sources: Sources = { file: "-", origin: name, bytes, context: path, identity: path };
  return { name, words: all, sources };
}
