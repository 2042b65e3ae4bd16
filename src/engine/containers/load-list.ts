import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { copyAs, copyImage } from "../../copy/copy.ts";
import {
  type Digest,
  namePlatform,
  parseManifest,
  platformOf,
  renderPlatform,
} from "../../oci/oci.ts";
import type { ListEntry, LoadSource, SessionWorkspace } from "../model.ts";
import { noteKeys } from "../notes.ts";
import type { ContainersCommands } from "./commands.ts";
import { addNames, releaseNames, withNames } from "./names.ts";
import { labelRun, listName } from "./run-names.ts";

type Work = SessionWorkspace & { readonly commands: ContainersCommands };

/**
 * Loads the images of several platforms into the engine's storage as a manifest list of these names. The list is made
 * under a passing name of the run, so that each name stands for what it stood for until all is there; the images
 * themselves get no name. Errors: `copy-failed`, `engine-failed`, `store-lock`.
 */
export async function loadList(
  sources: readonly LoadSource[],
  names: readonly string[],
  work: Work,
): Promise<void> {
  const { commands, run } = work;
  const images = await copyImages(sources, work);
  const label = labelRun(run);
  await run.note(noteKeys.engine, JSON.stringify([commands.name, ...commands.options]));
  await run.note(noteKeys.label, label);
  // Written down first: what is made before it is noted would stay.
  await run.note(noteKeys.list, label);
  const list = listName(label);
  try {
    await commands.createList(list);
    for (const image of images) await commands.addToList(list, locate(image, commands));
    await addNames(list, names, work);
  } finally {
    await releaseNames([list], label, work);
  }
}

/**
 * `--manifest`: adds images to a list of the engine's storage, which is made where there is none. One of the same
 * platform that stands there makes room. Errors: as `loadList`; `engine-failed` where the name stands for an image.
 */
export async function addToList(
  sources: readonly LoadSource[],
  list: string,
  work: Work,
): Promise<void> {
  const { commands } = work;
  const before = await commands.readList(list);
  if (before === undefined && (await commands.findImage(list)) === undefined) {
    return loadList(sources, [list], work);
  }
  const known = new Set(before?.map(({ digest }) => digest));
  const missing = sources.filter(({ image }) => !known.has(image.digest));
  if (missing.length === 0) return;
  const images = await copyImages(missing, work);
  await withNames(work, async () => {
    for (const image of images) await commands.addToList(list, locate(image, commands));
    const now = (await commands.readList(list)) ?? [];
    for (const entry of listReplaced(before ?? [], now)) {
      await commands.removeFromList(list, entry.digest);
    }
  });
}

/** Entries from before whose platform has a new one. */
function listReplaced(
  before: readonly ListEntry[],
  now: readonly ListEntry[],
): readonly ListEntry[] {
  const known = new Set(before.map(({ digest }) => digest));
  const added = new Set(now.filter(({ digest }) => !known.has(digest)).map(describe));
  return before.filter((entry) => added.has(describe(entry)));
}

function describe({ platform }: ListEntry): string {
  return platform === undefined ? "" : namePlatform(platform);
}

function locate(id: Digest, commands: ContainersCommands): string {
  return `containers-storage:${commands.storageSpecifier()}@${id.replace("sha256:", "")}`;
}

/** @returns their IDs: an image without a name is found by that alone. */
async function copyImages(sources: readonly LoadSource[], work: Work): Promise<readonly Digest[]> {
  const ids: Digest[] = [];
  for (const source of sources) ids.push(await copySource(source, work));
  return ids;
}

async function copySource(source: LoadSource, { commands, signal }: Work): Promise<Digest> {
  if (source.format === "oci") {
    const id = source.image.manifest.config.digest;
    await copyImage(source.reference, locate(id, commands), { signal });
    return id;
  }
  // In Docker's format the config is another one, and its digest the ID.
  const platform = renderPlatform(platformOf(source.image)).replaceAll("/", "-");
  const directory = join(source.scratch, `docker-${platform}`);
  await copyAs(source, `dir:${directory}`, signal);
  const id = parseManifest(await readFile(join(directory, "manifest.json"))).config.digest;
  await copyImage(`dir:${directory}`, locate(id, commands), { signal });
  return id;
}
