import { createHash } from "node:crypto";
import type { Store } from "../store/paths.ts";
import { beginRun, listDeadRuns, type Run } from "../store/runs.ts";
import { dropNames } from "./engine-names.ts";
import type { BuildPorts } from "./request.ts";
import { processNote, runContainerPrefix, type StepsRun } from "./steps.ts";

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
  const run = await beginRun(store);
  const label = createHash("sha256").update(run.id).digest("hex").slice(0, 16);
  const claimed: string[] = [];
  const claim = async (names: readonly string[]): Promise<void> => {
    claimed.push(...names);
    for (const name of names) await run.note(nameNote, name);
  };
  const release = (): Promise<void> => dropNames(ports.engine, claimed.splice(0));
  try {
    await run.note(labelNote, label);
    return await action({ ...run, label, claim, release });
  } catch (error) {
    // A call that ended well has removed its containers; one that failed or was stopped may not have.
    await ports.engine.removeContainers(runContainerPrefix(label));
    throw error;
  } finally {
    await release();
    await run.end();
  }
}

/** Cleans up after runs that were killed: working containers and names in the engine's storage. */
export async function cleanDeadRuns(store: Store, ports: BuildPorts): Promise<void> {
  for (const dead of await listDeadRuns(store)) {
    const valuesOf = (key: string): readonly string[] =>
      dead.notes.filter((note) => note.key === key).map((note) => note.value);
    await Promise.all(valuesOf(processNote).map((process) => ports.engine.stopOrphan(process)));
    for (const label of valuesOf(labelNote)) {
      await ports.engine.removeContainers(runContainerPrefix(label));
    }
    await dropNames(ports.engine, valuesOf(nameNote));
    await dead.remove();
  }
}
