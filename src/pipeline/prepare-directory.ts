import { withAnswers } from "../delivery/delivery.ts";
import { prepareOwnDirectory } from "../layers/layers.ts";
import { findBlob, withRun } from "../store/store.ts";
import { arrangeBases } from "./arrange-bases.ts";
import { readBases } from "./collect-bases.ts";
import { type CollectRequest, describeDirectory } from "./collect-directory.ts";
import { findLastState } from "./last-state.ts";
import { bringAll } from "./prepare-layers.ts";
import { findPrevious } from "./previous.ts";
import { readHistory } from "./read-history.ts";
import { readRemotes } from "./read-remotes.ts";
import { createShared } from "./shared.ts";
import type { CallerWorkspace } from "./workspace.ts";

/**
 * Fills an empty directory with what the layering steps of a build find: what `collectDirectory` makes an image of when
 * somebody has written its `output/`. Nothing of the store is changed. Errors: those of reading previous images
 */
export async function prepareDirectory(
  directory: string,
  request: Omit<CollectRequest, "output">,
  caller: CallerWorkspace,
): Promise<void> {
  const { store } = caller;
  const { layers } = request;
  await withRun(store, async (run) => {
    const work = { ...caller, shared: createShared(1), run };
    const build = describeDirectory(request);
    const remotes = await readRemotes(request, work);
    const previous = await findPrevious(build, { remotes, useless: new Set() }, work);
    const bases = await readBases(request.from, request.reuse, work);
    const { layerCount } = await arrangeBases(bases, [], work);
    const known = new Map(previous.flatMap((one) => [...one.files]));
    const input = layers.input ?? "local";
    const files = input === "all" ? await bringAll(previous, known, work) : known;
    const { releases } = await withAnswers(work, (own) => readHistory(request.reuse, own));
    const state = await findLastState(build, store);
    await prepareOwnDirectory(directory, layers.helperDirectory, {
      previous,
      findBlob: async (digest) => (await findBlob(store, { digest })) ?? files.get(digest),
      input,
      releases,
      maxLayers: Math.max(layers.maxLayers - layerCount, 0),
      baseLayers: layerCount,
      ...(state === undefined ? {} : { state }),
    });
  });
}
