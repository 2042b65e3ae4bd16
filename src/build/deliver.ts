import { join, resolve } from "node:path";
import { rename, rm } from "node:fs/promises";
import type { Digest, Image } from "../oci/model.ts";
import { exportLayout, listMissingLayers } from "../store/export.ts";
import { createNotFound } from "../store/names.ts";
import type { Store } from "../store/paths.ts";
import { beginRun, type Run } from "../store/runs.ts";
import { copyImage } from "../transport/skopeo.ts";
import { addNames } from "./engine-names.ts";
import type { BuildPorts, BuildRequest, Destination } from "./request.ts";

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
 * `LayersGoneError`), those of the destinations.
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
    await handOn({ store, run, request, ports, image, isChecked }, unloaded);
  } finally {
    if (options.run === undefined) await run.end();
  }
}

interface Delivery {
  readonly store: Store;
  readonly run: Run;
  readonly request: BuildRequest;
  readonly ports: BuildPorts;
  readonly image: Image;
  readonly isChecked: boolean;
}

/** Registries first: they are what a machine that dies in between is asked about. */
async function handOn(delivery: Delivery, unloaded: readonly string[]): Promise<void> {
  const { store, run, request, ports, image } = delivery;
  if (request.pushes.length > 0) {
    const { pushImage } = await import("./push.ts");
    for (const one of request.pushes) {
      await pushImage(store, run, request, ports, image, one, delivery.isChecked);
    }
  }
  if (unloaded.length + request.destinations.length === 0) return;
  const missing = await listMissingLayers(store, image);
  if (missing.length > 0) {
    const { completeImage } = await import("./fetch.ts");
    await completeImage(store, image, request, ports, run);
  }
  if (unloaded.length > 0) await loadImage(store, run, request, ports, image, unloaded);
  for (const destination of request.destinations) {
    await writeDestination(store, run, request, ports, image, destination);
  }
}

async function loadImage(
  store: Store,
  run: Run,
  request: BuildRequest,
  ports: BuildPorts,
  image: Image,
  names: readonly string[],
): Promise<void> {
  const [first = ""] = names;
  const done = ports.reporter.step(`Loading into ${ports.engine.name}'s storage`);
  const source = await exportImage(store, run, image, first);
  const destination = `containers-storage:${ports.engine.storageSpecifier()}${first}`;
  await copyAs(request.format, source, destination, run, ports, image);
  // A copy of the same image beside ours may have written back a list of names without this one.
  if (names.length > 1 || (await ports.engine.resolveImage(first)) === undefined) {
    // In Docker's format its ID is another one.
    const id = request.format === "docker" ? first : image.manifest.config.digest;
    await addNames(ports.engine, id, names);
  }
  done();
}

/** Copies the image as OCI or Docker has it; Docker's format has no zstd, so gzip stands in for it there. */
async function copyAs(
  format: "oci" | "docker",
  source: string,
  destination: string,
  run: Run,
  ports: BuildPorts,
  image: Image,
): Promise<void> {
  const { signal } = ports;
  if (format === "oci") return copyImage(source, destination, { signal });
  if (!image.manifest.layers.some((layer) => layer.mediaType.endsWith("+zstd"))) {
    return copyImage(source, destination, { format: "v2s2", signal });
  }
  const gzipped = `oci:${join(run.directory, "gzip")}:localhost/xbuild:latest`;
  await copyImage(source, gzipped, { gzip: true, signal });
  await copyImage(gzipped, destination, { format: "v2s2", signal });
}

/** A layout of its own for skopeo to read: a build beside us may give the store's name to another image. */
async function exportImage(store: Store, run: Run, image: Image, name: string): Promise<string> {
  const directory = join(run.directory, "export");
  await exportLayout(store, image, directory, name);
  return `oci:${directory}:${name}`;
}

async function writeDestination(
  store: Store,
  run: Run,
  request: BuildRequest,
  ports: BuildPorts,
  image: Image,
  destination: Destination,
): Promise<void> {
  if (destination.kind === "files") {
    const { writeFiles } = await import("./files.ts");
    const source = await exportImage(store, run, image, "localhost/xbuild:latest");
    return writeFiles(run, ports, image, source, destination.text);
  }
  const done = ports.reporter.step(`Writing ${destination.kind}:${destination.path}`);
  const name = destination.name ?? request.names[0]?.full;
  if (destination.kind === "oci") await exportLayout(store, image, resolve(destination.path), name);
  else
    await writeArchive(store, run, ports, image, {
      ...destination,
      name: name ?? "localhost/xbuild:latest",
    });
  done();
}

/** Written beside its place and then moved there: what stood there before stays until the new one is whole. */
async function writeArchive(
  store: Store,
  run: Run,
  ports: BuildPorts,
  image: Image,
  archive: { readonly kind: string; readonly path: string; readonly name: string },
): Promise<void> {
  const path = resolve(archive.path);
  const unfinished = `${path}.xbuild-${run.id}`;
  try {
    const source = await exportImage(store, run, image, archive.name);
    const format = archive.kind === "docker-archive" ? "docker" : "oci";
    const destination = `${archive.kind}:${unfinished}:${archive.name}`;
    await copyAs(format, source, destination, run, ports, image);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}
