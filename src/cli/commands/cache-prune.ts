import { type Engine, findEngine } from "../../engine/engine.ts";
import { XbuildError } from "../../errors.ts";
import { cleanUpDeadRuns } from "../../pipeline/pipeline.ts";
import { createReporter } from "../report/reporter.ts";
import { type PruneOptions, type PruneResult, pruneStore } from "../../store/store.ts";
import { usageError, helpFlag } from "../line/arguments.ts";
import { readEngineName } from "../line/engine-name.ts";
import type { CliIo } from "../io.ts";
import { createNamePattern } from "../line/name-pattern.ts";
import {
  formatFlag,
  openUserStore,
  readCommandLine,
  wantsJson,
  type StoreCommandLine,
} from "./store-command.ts";
import { renderSize } from "../../units.ts";
import { joinVisible, show, showJson, type Visible } from "../../visible.ts";
import { parseSize } from "../line/values.ts";

const help = show`Usage: xbuild cache prune [FLAGS]

Removes from the store what no name and no running build needs: all of it, or what the flags say.

      --older-than AGE     what was not used for that long (90m, 12h, 7d, 4w)
      --max-size SIZE      the longest unused, until the store is no larger (500m, 20g)
      --tag PATTERN        forget the names that match first (* is any text); repeatable.
                           With --older-than, only those of images that old
  -n, --dry-run            say what would go, and change nothing
      --format table|json  for people, or for programs
`;

const flags = [
  { name: "older-than", kind: "value" },
  { name: "max-size", kind: "value" },
  { name: "tag", kind: "value" },
  { name: "dry-run", short: "n", kind: "boolean" },
  formatFlag,
  helpFlag,
] as const;

/** `xbuild cache prune`. @returns 0 @throws XbuildError `usage`, `store-damaged` and those of writing */
export async function runCachePrune(argv: readonly string[], io: CliIo): Promise<number> {
  const line = readCommandLine(argv, flags);
  if (line.isSet("help")) {
    io.stdout(help);
    return 0;
  }
  if (line.operands.length > 0) {
    throw usageError("cache prune takes no argument", "name images with --tag PATTERN");
  }
  const isJson = wantsJson(line);
  const options = readOptions(line, Date.now());
  const store = await openUserStore(io);
  if (options.dryRun !== true) {
    const engine = findAnyEngine(io);
    const reporter = createReporter(io, { quiet: true });
    const enterNamespace = async (): Promise<number | undefined> =>
      engine?.runInNamespace([...io.self, "cache", "prune", ...argv], undefined);
    const elsewhere = await cleanUpDeadRuns({
      store,
      engine,
      reporter,
      signal: io.signal,
      enterNamespace,
    });
    if (elsewhere !== undefined) return elsewhere.continuedElsewhere;
  }
  const result = await pruneStore(store, options);
  io.stdout(isJson ? showJson(result) : renderResult(result, options));
  return 0;
}

/** A store can be pruned where no engine is. */
function findAnyEngine(io: CliIo): Engine | undefined {
  const name = readEngineName(undefined, io.env);
  try {
    return findEngine(name, [], io.env["PATH"]);
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    return undefined;
  }
}

function readOptions(line: StoreCommandLine, now: number): PruneOptions {
  const age = line.last("older-than");
  const size = line.last("max-size");
  const patterns = line.list("tag");
  return {
    ...(age === undefined ? {} : { usedBefore: now - parseAge(age) }),
    ...(size === undefined ? {} : { maxSize: size === "0" ? 0 : parseSize(size, "--max-size") }),
    ...(patterns.length === 0 ? {} : { matches: createNamePattern(patterns) }),
    dryRun: line.isSet("dry-run"),
  };
}

const seconds: Readonly<Record<string, number>> = {
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
  w: 7 * 86_400,
};

/** Milliseconds. */
function parseAge(text: string): number {
  const groups = /^(?<count>\d{1,6})(?<unit>[smhdw])$/.exec(text)?.groups;
  const age = Number(groups?.["count"]) * (seconds[groups?.["unit"] ?? ""] ?? Number.NaN) * 1000;
  if (Number.isSafeInteger(age)) return age;
  throw usageError(`--older-than must be an age such as 12h or 7d, not "${text}"`);
}

function renderResult(result: PruneResult, { dryRun }: PruneOptions): Visible {
  const verb = dryRun === true ? "would be " : "";
  const names = result.names.map((name) => show`${verb}untagged ${name}\n`);
  const count = `${result.blobs.length} blob${result.blobs.length === 1 ? "" : "s"}`;
  return show`${joinVisible(names)}${count} ${verb}removed: ${renderSize(result.freed)} free, ${renderSize(result.kept)} kept\n`;
}
