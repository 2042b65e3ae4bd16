import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Image } from "../oci/oci.ts";
import { exportLayout } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import type { Run } from "../store/store.ts";
import { explain, nameUnfinished, prepareFile, replaceFile } from "../system/place-file.ts";
import { findTarget, mayWrite } from "../system/target.ts";
import { dropLayerAddresses } from "../copy/copy.ts";
import { copyImage } from "../copy/copy.ts";
import { addNames } from "../pipeline/pipeline.ts";
import type { BuildPorts, BuildRequest, Destination } from "../pipeline/pipeline.ts";

/** An image that the store has as a whole, on its way to somewhere on this machine. */
export interface Delivery {
  readonly store: Store;
  readonly run: Run;
  readonly request: BuildRequest;
  readonly ports: BuildPorts;
  readonly image: Image;
}

/** Loads the image into the engine's storage, under these names. */
export async function loadImage(delivery: Delivery, names: readonly string[]): Promise<void> {
  const { request, ports, image } = delivery;
  const [first = ""] = names;
  const done = ports.reporter.step(`Loading into ${ports.engine.name}'s storage`);
  const source = await exportForCopy(delivery, first);
  const destination = `containers-storage:${ports.engine.storageSpecifier()}${first}`;
  await copyAs(delivery, request.format, source, destination);
  // A copy of the same image beside ours may have written back a list of names without this one.
  if (names.length > 1 || (await ports.engine.resolveImage(first)) === undefined) {
    // In Docker's format its ID is another one.
    const id = request.format === "docker" ? first : image.manifest.config.digest;
    await addNames(ports, id, names);
  }
  done();
}

/** Copies the image as OCI or Docker has it; Docker's format has no zstd, so gzip stands in for it there. */
async function copyAs(
  { run, ports, image }: Delivery,
  format: "oci" | "docker",
  source: string,
  destination: string,
): Promise<void> {
  const { signal } = ports;
  if (format === "oci") return copyImage(source, destination, { signal });
  if (!image.manifest.layers.some((layer) => layer.mediaType.endsWith("+zstd"))) {
    return copyImage(source, destination, { format: "v2s2", signal });
  }
  const gzipped = `oci:${join(run.directory, "gzip")}:${passingName}`;
  await copyImage(source, gzipped, { gzip: true, signal });
  await copyImage(gzipped, destination, { format: "v2s2", signal });
}

/** The name of an image that has none. */
const passingName = "localhost/xbuild:latest";

/** A layout of its own for skopeo to read: a build beside us may give the store's name to another image. */
async function exportImage({ store, run, image }: Delivery, name: string): Promise<string> {
  const directory = join(run.directory, "export");
  await exportLayout(store, image, directory, name, { isOurs: true });
  return `oci:${directory}:${name}`;
}

/** The same for forms in which layers have no addresses of their own. */
async function exportForCopy(delivery: Delivery, name: string): Promise<string> {
  const source = await exportImage(delivery, name);
  await dropLayerAddresses(join(delivery.run.directory, "export"), delivery.image);
  return source;
}

/** Writes the image to where one `-o` says. */
export async function writeDestination(
  delivery: Delivery,
  destination: Destination,
): Promise<void> {
  const { store, run, request, ports, image } = delivery;
  if (destination.kind === "files") {
    const { writeFiles } = await import("./files.ts");
    const source = await exportForCopy(delivery, passingName);
    return writeFiles(run, ports, image, source, destination.text);
  }
  const done = ports.reporter.step(`Writing ${destination.kind}:${destination.path}`);
  const name = destination.name ?? request.names[0]?.full;
  const { kind } = destination;
  const path = resolve(destination.path);
  if (kind === "oci") await explain(`-o oci:${path}`, () => exportLayout(store, image, path, name));
  else await writeArchive(delivery, { kind, path, name: name ?? passingName });
  done();
}

/**
 * Written beside its place and then moved there: what stood there before stays until the new one is whole. What is
 * no plain file, and a path that skopeo would split at its colon, gets the bytes from the run's directory.
 */
async function writeArchive(delivery: Delivery, archive: Archive): Promise<void> {
  const { kind, path } = archive;
  const what = `-o ${kind}:${path}`;
  const target = findTarget(path, what);
  if (target.kind !== "file" || target.path.includes(":") || !mayWrite(dirname(target.path))) {
    return streamArchive(delivery, archive, what);
  }
  const unfinished = nameUnfinished(target.path);
  try {
    await copyArchive(delivery, archive, unfinished);
    await explain(what, () => replaceFile(target, unfinished));
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function streamArchive(delivery: Delivery, archive: Archive, what: string): Promise<void> {
  const { run, ports } = delivery;
  const finished = join(run.directory, "archive.tar");
  await rm(finished, { force: true });
  await copyArchive(delivery, archive, finished);
  const onWait = (): void => ports.reporter.progress("waiting for a reader");
  const content = createReadStream(finished);
  const { signal } = ports;
  const file = await prepareFile({ path: archive.path, what, content, signal, onWait });
  try {
    await file.place();
  } finally {
    await file.discard();
  }
}

interface Archive {
  readonly kind: "oci-archive" | "docker-archive";
  /** Absolute. */
  readonly path: string;
  readonly name: string;
}

async function copyArchive(
  delivery: Delivery,
  { kind, name }: Archive,
  path: string,
): Promise<void> {
  const isDocker = kind === "docker-archive";
  const source = await (isDocker ? exportForCopy : exportImage)(delivery, name);
  await copyAs(delivery, isDocker ? "docker" : "oci", source, `${kind}:${path}:${name}`);
}
