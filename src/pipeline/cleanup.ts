import { createHash } from "node:crypto";
import { findEngine, type EngineName } from "../engine/engine.ts";
import type { Engine } from "../engine/engine.ts";
import { XbuildError } from "../errors.ts";
import type { Store } from "../store/store.ts";
import { explainFull } from "../store/store.ts";
import { beginRun, listDeadRuns, type DeadRun, type Run } from "../store/store.ts";
import { dropNames } from "./engine-names.ts";
import type { BuildPorts, TransferPorts } from "./request.ts";
import { processNote, runContainerPrefix, type StepsRun } from "./steps.ts";

const engineNote = "engine";
const labelNote = "engine-run";
const nameNote = "engine-name";

/** A run as the steps see it: `label` is what names it in the engine's storage. */
export type BuildRun = Run &
  StepsRun & {
    /** Gives up what was claimed: the steps have run, and what follows may take long. */
    readonly release: () => Promise<void>;
  };

/**
 * Does `action` in a run of its own and leaves nothing of it behind, whatever happens: neither in
 * the store's `tmp/` nor in the engine's storage.
 */
export async function withRun<T>(
  store: Store,
  ports: BuildPorts,
  action: (run: BuildRun) => Promise<T>,
): Promise<T> {
  const { engine } = ports;
  const run = await beginRun(store);
  const label = createHash("sha256").update(run.id).digest("hex").slice(0, 16);
  const claimed: string[] = [];
  const claim = async (names: readonly string[]): Promise<void> => {
    claimed.push(...names);
    for (const name of names) await run.note(nameNote, name);
  };
  const release = (): Promise<void> => dropNames(ports, claimed.splice(0));
  try {
    await run.note(engineNote, JSON.stringify([engine.name, ...engine.options]));
    await run.note(labelNote, label);
    return await action({ ...run, label, claim, release });
  } catch (error) {
    // A call that ended well has removed its containers; one that failed or was stopped may not have.
    await engine.removeContainers(runContainerPrefix(label));
    throw explainFull(store, error);
  } finally {
    await endRun(run, release, ports);
  }
}

/** What could not be given up stays written down in the run's directory, for the next cleaner. */
async function endRun(run: Run, release: () => Promise<void>, ports: BuildPorts): Promise<void> {
  try {
    await release();
  } catch (error) {
    return warnLeft(run.directory, error, ports);
  }
  return run.end();
}

/**
 * Cleans up after runs that were killed: processes, working containers and names in the engine's storage, and
 * their directories. One that cannot be cleaned is told of, left to the next cleaner, and stops nobody.
 * @param engine the one at hand; others are looked for where a run has used them
 */
export async function cleanDeadRuns(
  store: Store,
  engine: Engine | undefined,
  ports: TransferPorts,
): Promise<void> {
  for (const dead of await listDeadRuns(store)) {
    try {
      await cleanDeadRun(dead, engine, ports);
    } catch (error) {
      warnLeft(dead.directory, error, ports);
    }
  }
}

async function cleanDeadRun(
  dead: DeadRun,
  current: Engine | undefined,
  ports: TransferPorts,
): Promise<void> {
  const valuesOf = (key: string): readonly string[] =>
    dead.notes.filter((note) => note.key === key).map((note) => note.value);
  const labels = valuesOf(labelNote);
  if (labels.length > 0) {
    const engine = findRunsEngine(valuesOf(engineNote), current);
    await Promise.all(valuesOf(processNote).map((process) => engine.stopOrphan(process)));
    for (const label of labels) await engine.removeContainers(runContainerPrefix(label));
    await dropNames({ ...ports, engine }, valuesOf(nameNote));
  }
  await dead.remove();
}

/** The engine that a run has used, with its storage. Errors: `engine-not-found`. */
function findRunsEngine(notes: readonly string[], current: Engine | undefined): Engine {
  const [name, ...options] = parseWords(notes.at(-1));
  // Older versions did not write it down.
  const isCurrent = (engine: Engine): boolean =>
    name === undefined ||
    (name === engine.name && options.join("\0") === engine.options.join("\0"));
  if (current !== undefined && isCurrent(current)) return current;
  return findEngine(toEngineName(name), options, process.env["PATH"]);
}

function parseWords(text: string | undefined): readonly string[] {
  const words: unknown = text === undefined ? [] : JSON.parse(text);
  return Array.isArray(words) ? words.filter((word) => typeof word === "string") : [];
}

function toEngineName(name: string | undefined): EngineName | undefined {
  return name === "buildah" || name === "podman" ? name : undefined;
}

function warnLeft(directory: string, error: unknown, { reporter, signal }: TransferPorts): void {
  if (signal.aborted) return;
  if (!(error instanceof XbuildError)) throw error;
  reporter.warn({
    code: "run-left",
    severity: "warning",
    message: `${directory} could not be cleaned up: ${error.message}`,
    hint: error.hint ?? "leave it to the next build, which tries again",
  });
}
