import type { RunNote } from "../model.ts";
import { noteKeys } from "../notes.ts";
import { dropNames, type NamingWorkspace, releaseNames } from "./names.ts";
import { listName, runContainerPrefix } from "./run-names.ts";
import { removeMarked } from "./shell.ts";

/** Ends the processes of a killed run, and removes its working containers and names. Idempotent. */
export async function cleanUp(notes: readonly RunNote[], work: NamingWorkspace): Promise<void> {
  const valuesOf = (key: string): readonly string[] => [
    ...new Set(notes.filter((note) => note.key === key).map((note) => note.value)),
  ];
  const { commands } = work;
  const labels = valuesOf(noteKeys.label);
  if (labels.length === 0) return;
  await Promise.all(valuesOf(noteKeys.process).map((process) => commands.stopOrphan(process)));
  for (const label of labels) await commands.removeContainers(runContainerPrefix(label));
  for (const mark of valuesOf(noteKeys.shell)) await removeMarked(mark, await commands.loadShell());
  await dropNames(valuesOf(noteKeys.name), work);
  for (const label of valuesOf(noteKeys.list)) await releaseNames([listName(label)], label, work);
}
