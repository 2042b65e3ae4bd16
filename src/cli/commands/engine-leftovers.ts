import { type Engine, findEngines, type RemovedLeftovers } from "../../engine/engine.ts";
import { XbuildError } from "../../errors.ts";
import { measureLeftovers, pruneLeftovers, type StoredLeftovers } from "../../pipeline/pipeline.ts";
import type { Reporter } from "../../reporter.ts";
import type { Store } from "../../store/store.ts";
import { usageError } from "../line/arguments.ts";
import { readEngineName } from "../line/engine-name.ts";
import type { CliIo } from "../io.ts";
import type { StoreCommandLine } from "./store-command.ts";

/** Which engines' storages a command looks into. */
export const engineFlags = [
  { name: "engine", kind: "value" },
  { name: "engine-arg", kind: "value" },
] as const;

/** What builds left in a storage, with the engines that have it in common. */
export interface EngineUsage extends StoredLeftovers {
  readonly engines: readonly string[];
}

/** What went of it. */
export interface EnginePruned extends RemovedLeftovers {
  readonly engine: string;
}

interface LeftoverWorkspace {
  readonly store: Store;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/** The engines that the command line names, else all that are installed. Errors: `usage`, `engine-not-found` */
export function selectEngines(line: StoreCommandLine, io: CliIo): readonly Engine[] {
  const options = line.list("engine-arg");
  const name = readEngineName(line.last("engine"), io.env);
  const engines = findEngines(name, options, io.env["PATH"]);
  if (options.length === 0) return engines;
  const [first] = engines;
  if (first === undefined) throw usageError("--engine-arg needs an engine, and none is installed");
  // Options are those of one program, as in a build.
  return [first];
}

/** Each storage counts once. An engine that does not work is told of. */
export async function measureEngines(
  engines: readonly Engine[],
  work: LeftoverWorkspace,
): Promise<readonly EngineUsage[]> {
  const found = new Map<string, EngineUsage>();
  for (const engine of engines) {
    const usage = await attempt(() => measureLeftovers({ ...work, engine }), work);
    if (usage === undefined) continue;
    const known = found.get(usage.storage);
    found.set(usage.storage, { ...usage, engines: [...(known?.engines ?? []), engine.name] });
  }
  return [...found.values()];
}

/** Of engines that have a storage in common the first one finds it all. */
export async function pruneEngines(
  engines: readonly Engine[],
  limits: Parameters<typeof pruneLeftovers>[1],
  work: LeftoverWorkspace,
): Promise<readonly EnginePruned[]> {
  const pruned: EnginePruned[] = [];
  const storages = new Set<string>();
  for (const engine of engines) {
    const removed = await attempt(async () => {
      const left = await engine.readLeftovers();
      if (left === undefined || storages.has(left.storage)) return undefined;
      storages.add(left.storage);
      return pruneLeftovers(left, limits, { ...work, engine });
    }, work);
    if (removed !== undefined) pruned.push({ ...removed, engine: engine.name });
  }
  return pruned;
}

/** A store is measured and pruned also where an engine does not work. */
async function attempt<T>(
  action: () => Promise<T>,
  { reporter }: LeftoverWorkspace,
): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    const { code, message, hint } = error;
    const notice = { code, severity: "warning", message } as const;
    reporter.warn(hint === undefined ? notice : { ...notice, hint });
    return undefined;
  }
}
