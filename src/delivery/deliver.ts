import type { Digest, Image } from "../oci/oci.ts";
import { inBriefStep } from "../reporter.ts";
import { listMissingLayers, type Run, withRun } from "../store/store.ts";
import { type DeliveryRequest, listNames } from "./request.ts";
import type { EngineWorkspace } from "./workspace.ts";

/** Image IDs of the names in the engine's storage, where the image is to be loaded there. */
export async function findLoaded(
  request: DeliveryRequest,
  { engine }: Pick<EngineWorkspace, "engine">,
): Promise<ReadonlyMap<string, Digest | undefined>> {
  const names = request.load ? listNames(request) : [];
  const ids = names.map(async (name) => [name, await engine.findImage(name)] as const);
  return new Map(await Promise.all(ids));
}

/** An image on its way. */
export interface Delivery {
  readonly request: DeliveryRequest;
  /** What `findLoaded` gave a moment ago, where it was asked. */
  readonly loaded?: ReadonlyMap<string, Digest | undefined> | undefined;
  /** Names that stood for something else in the store until now. */
  readonly renamed?: readonly string[];
  /** Whether the layers that are not here were found in their registries a moment ago. */
  readonly isChecked?: boolean;
}

/**
 * Hands the image on: to registries, into the engine's storage, or to where `-o` says. What is there
 * already is left alone. Errors: `image-not-found` where the store has it no more, `layer-gone` (a
 * `UselessLayersError`), those of the destinations.
 * @param work with a run, where one holds the image already
 */
export async function deliverImage(
  image: Image,
  delivery: Delivery,
  work: EngineWorkspace & { readonly run?: Run },
): Promise<void> {
  await inBriefStep("Handing on the image", () => deliver(image, delivery, work), work);
}

async function deliver(
  image: Image,
  delivery: Delivery,
  work: EngineWorkspace & { readonly run?: Run },
): Promise<void> {
  const { request } = delivery;
  const unloaded = await listUnloaded(image, delivery, work);
  if (unloaded.length + request.destinations.length + request.pushes.length === 0) return;
  const hand = async (run: Run): Promise<void> => {
    await run.mustHold(image);
    await handOver(image, { ...delivery, unloaded }, { ...work, run });
  };
  await (work.run === undefined ? withRun(work.store, hand) : hand(work.run));
}

/** Names that do not stand for the image in the engine's storage. */
async function listUnloaded(
  { manifest }: Image,
  { request, loaded, renamed = [] }: Delivery,
  work: EngineWorkspace,
): Promise<readonly string[]> {
  const ids = loaded ?? (await findLoaded(request, work));
  const names = [...ids.keys()];
  // An image ID is its config's digest. Engines give it for a manifest list that has the image, too: such a name stood
  // for that list in the store until now.
  const equal = names.filter((name) => ids.get(name) === manifest.config.digest);
  const doubtful = loaded === undefined ? equal : equal.filter((name) => renamed.includes(name));
  const lists = await Promise.all(doubtful.map((name) => work.engine.readList(name)));
  const listed = new Set(doubtful.filter((_, at) => lists[at] !== undefined));
  return names.filter((name) => !equal.includes(name) || listed.has(name));
}

/** Registries first: they are what a machine that dies in between is asked about. */
async function handOver(
  image: Image,
  { request, isChecked, unloaded }: Delivery & { readonly unloaded: readonly string[] },
  work: EngineWorkspace & { readonly run: Run },
): Promise<void> {
  if (request.pushes.length > 0) {
    const { pushImage } = await import("./push.ts");
    for (const one of request.pushes) {
      await pushImage(image, { destination: one, isChecked: isChecked === true }, work);
    }
  }
  if (unloaded.length + request.destinations.length === 0) return;
  const missing = await listMissingLayers(work.store, image);
  if (missing.length > 0) {
    const [{ bringLayers }, { listNeeded }] = await Promise.all([
      import("./fetch.ts"),
      import("./held.ts"),
    ]);
    await bringLayers(image, await listNeeded({ image, missing }, request, work), work);
  }
  // A build that has nothing to hand on loads nothing of this.
  const { loadImage, writeDestination } = await import("./destinations.ts");
  const outgoing = { image, request };
  if (unloaded.length > 0) await loadImage(outgoing, unloaded, work);
  for (const destination of request.destinations) {
    await writeDestination(outgoing, destination, work);
  }
}
