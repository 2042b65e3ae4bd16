import { createReporter } from "../report/reporter.ts";
import { cleanUpDeadRuns } from "../../pipeline/pipeline.ts";
import { type PruneOptions, type PruneResult, pruneStore, type Store } from "../../store/store.ts";
import { usageError, helpFlag } from "../line/arguments.ts";
import { parseAge, readMaxAge, usualMaxAge } from "../line/max-age.ts";
import { readPruneFilters, readSize } from "../line/prune-filters.ts";
import type { CliIo } from "../io.ts";
import { createNamePattern } from "../line/name-pattern.ts";
import { engineFlags, type EnginePruned, pruneEngines, selectEngines } from "./engine-leftovers.ts";
import {
  formatFlag,
  openUserStore,
  readCommandLine,
  wantsJson,
  type StoreCommandLine,
} from "./store-command.ts";
import { renderSize } from "../../units.ts";
import { joinVisible, show, showJson, type Visible } from "../../visible.ts";

const help = show`Usage: xbuild cache prune [FLAGS]

Removes from the store what no name, no last build and no running build needs, and from the engines'
storages what builds left there and none used for ${String(usualMaxAge / 86_400_000)} days: all of it, or what the flags say.

  -a, --all                also last builds and caches, and all that builds left in the engines'
                           storages: names and what running builds use stay
      --older-than AGE     what was not used for that long (90m, 12h, 7d, 4w)
      --filter until=WHEN  the same; also before a time (2026-11-20T00:00:00Z, or seconds since 1970)
      --max-size SIZE      the longest unused, until the store is no larger (500m, 20g);
                           also --max-used-space and --keep-storage
      --tag PATTERN        forget the names that match first (* is any text); repeatable.
                           With an age, only those of images that old
  -n, --dry-run            say what would go, and change nothing
  -f, --force              for scripts that are written for an engine; nothing is asked without it either
      --engine NAME        look into this engine's storage alone
      --engine-arg WORD    an option of the engine, such as --root=DIR; repeatable
      --format table|json  for people, or for programs
`;

const flags = [
  { name: "all", short: "a", kind: "boolean" },
  { name: "older-than", kind: "value" },
  { name: "filter", kind: "value" },
  { name: "max-size", kind: "value" },
  { name: "max-used-space", kind: "value" },
  { name: "keep-storage", kind: "value" },
  { name: "tag", kind: "value" },
  { name: "dry-run", short: "n", kind: "boolean" },
  { name: "force", short: "f", kind: "boolean" },
  ...engineFlags,
  formatFlag,
  helpFlag,
] as const;

/** What went, or would go. */
interface Pruned extends PruneResult {
  /** Bytes of the store and of the engines' storages. */
  readonly freed: number;
  readonly engines: readonly EnginePruned[];
}

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
  const maxAge = readMaxAge(io.env) ?? usualMaxAge;
  const store = await openUserStore(io);
  const elsewhere = await cleanUp(store, { line, argv }, io);
  if (elsewhere !== undefined) return elsewhere;
  const { all = false, dryRun = false } = options;
  const usedBefore = options.usedBefore ?? (all ? Number.POSITIVE_INFINITY : Date.now() - maxAge);
  const work = { store, reporter: createReporter(io, { quiet: true }), signal: io.signal };
  const result = await pruneStore(store, options);
  const engines = await pruneEngines(selectEngines(line, io), { usedBefore, all, dryRun }, work);
  const freed = engines.reduce((sum, one) => sum + one.freed, result.freed);
  const pruned = { ...result, freed, engines };
  io.stdout(isJson ? showJson(pruned) : renderPruned(pruned, options));
  if (!isJson && isPlain(options)) await tellMore(pruned, { line, store }, io);
  return 0;
}

/** Whether nothing limits it, and nothing widens it. */
function isPlain({ usedBefore, maxSize, all }: PruneOptions): boolean {
  return usedBefore === undefined && maxSize === undefined && all !== true;
}

/** Where little went, people want to know what the rest is for. */
async function tellMore(
  { freed }: Pruned,
  { line, store }: { readonly line: StoreCommandLine; readonly store: Store },
  io: CliIo,
): Promise<void> {
  const work = { store, reporter: createReporter(io, { quiet: true }), signal: io.signal };
  const limits = { usedBefore: Number.POSITIVE_INFINITY, all: true, dryRun: true };
  const engines = await pruneEngines(selectEngines(line, io), limits, work);
  const all = await pruneStore(store, { all: true, dryRun: true });
  const more =
    engines.reduce((sum, one) => sum + one.freed, all.freed) - (line.isSet("dry-run") ? freed : 0);
  if (more > 0) io.stdout(show`xbuild cache prune --all frees ${renderSize(more)} more\n`);
}

interface Given {
  readonly line: StoreCommandLine;
  readonly argv: readonly string[];
}

/** @returns the exit status where another process has done it all */
async function cleanUp(
  store: Store,
  { line, argv }: Given,
  io: CliIo,
): Promise<number | undefined> {
  if (line.isSet("dry-run")) return undefined;
  // A store can be pruned where no engine is.
  const [engine] = selectEngines(line, io);
  const reporter = createReporter(io, { quiet: true });
  const enterNamespace = async (): Promise<number | undefined> =>
    engine?.runInNamespace([...io.self, "cache", "prune", ...argv], undefined);
  const work = { store, engine, reporter, signal: io.signal, enterNamespace };
  return (await cleanUpDeadRuns(work))?.continuedElsewhere;
}

function readOptions(line: StoreCommandLine, now: number): PruneOptions {
  const age = line.last("older-than");
  const until = readPruneFilters(line.list("filter"), now);
  const limits = [until, age === undefined ? undefined : now - parseAge(age, "--older-than")];
  const ages = limits.filter((one) => one !== undefined);
  const size = readSize(line);
  const patterns = line.list("tag");
  return {
    ...(ages.length === 0 ? {} : { usedBefore: Math.min(...ages) }),
    ...(size === undefined ? {} : { maxSize: size }),
    ...(patterns.length === 0 ? {} : { matches: createNamePattern(patterns) }),
    all: line.isSet("all"),
    dryRun: line.isSet("dry-run"),
  };
}

function renderPruned(pruned: Pruned, { dryRun }: PruneOptions): Visible {
  const isDry = dryRun === true;
  const [untagged, deleted, freed] = isDry
    ? ["Would untag", "Would delete", "would be freed"]
    : ["Untagged", "Deleted", "freed"];
  const engines = pruned.engines.flatMap(({ engine, names, images }) => [
    ...names.map((name) => show`${untagged}: ${name} (${engine})\n`),
    ...images.map((id) => show`${deleted}: ${id} (${engine})\n`),
  ]);
  const rest = pruned.engines.reduce((sum, one) => sum + one.freed, 0);
  const parts =
    rest === 0
      ? ""
      : ` (${renderSize(pruned.freed - rest)} in the store, ${renderSize(rest)} in the engine's storage)`;
  return joinVisible([
    ...pruned.names.map((name) => show`${untagged}: ${name}\n`),
    ...pruned.images.map((digest) => show`${deleted}: ${digest}\n`),
    ...engines,
    show`Total: ${renderSize(pruned.freed)} ${freed}${parts}; ${renderSize(pruned.kept)} kept in the store\n`,
  ]);
}
