import type { Digest, Image } from "../oci/oci.ts";
import { listMissingLayers } from "../store/store.ts";
import { createNotFound } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import { beginRun, type Run } from "../store/store.ts";
import type { Delivery } from "./destinations.ts";
import type { BuildPorts, BuildRequest } from "../pipeline/pipeline.ts";

/** Image IDs of this build's names in the engine's storage, where the image is to be loaded there. */
export async function resolveNames(
  request: BuildRequest,
  ports: BuildPorts,
): Promise<ReadonlyMap<string, Digest | undefined>> {
  const names = request.load ? request.names.map((one) => one.full) : [];
  const ids = names.map(async (name) => [name, await ports.engine.resolveImage(name)] as const);
  return new Map(await Promise.all(ids));
}

export interface DeliverOptions {
  /** What `resolveNames` gave a moment ago, where it was asked. */
  readonly loaded?: ReadonlyMap<string, Digest | undefined> | undefined;
  /** A run that holds the image already. */
  readonly run?: Run;
  /** Whether the layers that are not here were found in their registries a moment ago. */
  readonly isChecked?: boolean;
}

/**
 * Hands the image on: to registries, into the engine's storage, or to where `-o` says. What is there
 * already is left alone. Errors: `image-not-found` where the store has it no more, `layer-gone` (a
 * `UselessLayersError`), those of the destinations.
 */
export async function deliverImage(
  store: Store,
  request: BuildRequest,
  ports: BuildPorts,
  image: Image,
  options: DeliverOptions = {},
): Promise<void> {
  const ids = options.loaded ?? (await resolveNames(request, ports));
  // An image ID is its config's digest.
  const unloaded = [...ids].flatMap(([name, id]) =>
    id === image.manifest.config.digest ? [] : [name],
  );
  if (unloaded.length + request.destinations.length + request.pushes.length === 0) return;
  const run = options.run ?? (await beginRun(store));
  try {
    if (!(await run.hold(image))) throw createNotFound(store, image.digest);
    const isChecked = options.isChecked === true;
    await handOn({ store, run, request, ports, image }, unloaded, isChecked);
  } finally {
    if (options.run === undefined) await run.end();
  }
}

/** Registries first: they are what a machine that dies in between is asked about. */
async function handOn(
  delivery: Delivery,
  unloaded: readonly string[],
  isChecked: boolean,
): Promise<void> {
  const { store, run, request, ports, image } = delivery;
  if (request.pushes.length > 0) {
    const { pushImage } = await import("./push.ts");
    for (const one of request.pushes) {
      await pushImage(store, run, request, ports, image, one, isChecked);
    }
  }
  if (unloaded.length + request.destinations.length === 0) return;
  const missing = await listMissingLayers(store, image);
  if (missing.length > 0) {
    const { completeImage } = await import("./fetch.ts");
    await completeImage(store, image, request, ports, run);
  }
  // A build that has nothing to hand on loads nothing of this.
  const { loadImage, writeDestination } = await import("./destinations.ts");
  if (unloaded.length > 0) await loadImage(delivery, unloaded);
  for (const destination of request.destinations) await writeDestination(delivery, destination);
}
