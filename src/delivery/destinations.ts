import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { copyAs, copyImage, dropLayerAddresses } from "../copy/copy.ts";
import { XbuildError } from "../errors.ts";
import type { Image, ImageIndex } from "../oci/oci.ts";
import { inStep, type Step } from "../reporter.ts";
import { type ExportOptions, exportLayout, listMissingLayers, type Run } from "../store/store.ts";
import { explain, nameUnfinished, prepareFile, replaceFile } from "../system/place-file.ts";
import { findTarget, mayWrite } from "../system/target.ts";
import { describeLayers } from "../units.ts";
import type { DeliveryRequest, Destination } from "./request.ts";
import type { EngineWorkspace } from "./workspace.ts";

/** An image that the store has as a whole, on its way to somewhere on this machine. */
export interface Outgoing {
  readonly image: Image;
  readonly request: Pick<DeliveryRequest, "names" | "format">;
}

export type Work = EngineWorkspace & { readonly run: Run };

/** Loads the image into the engine's storage, under these names. */
export async function loadImage(
  { image, request: { format } }: Outgoing,
  names: readonly string[],
  work: Work,
): Promise<void> {
  const done = work.reporter.step(`Loading into ${nameStorage(work.engine)}`);
  done.progress({ now: describeLayers(image.manifest.layers) });
  const layout = { name: names[0] ?? passingName, isPartial: true };
  const load = async (): Promise<void> => {
    const reference = await exportForCopy(image, layout, work);
    const source = { reference, image, format, scratch: work.run.directory };
    await work.engine.loadImage(source, names, work);
  };
  await loadWhole(image, load, work);
  done();
}

/** Layers that the engine's storage had when it was asked may be gone: then they are fetched after all. */
async function loadWhole(image: Image, load: () => Promise<void>, work: Work): Promise<void> {
  try {
    await load();
  } catch (error) {
    const isCopy = error instanceof XbuildError && error.code === "copy-failed";
    if (!isCopy || (await listMissingLayers(work.store, image)).length === 0) throw error;
    const { completeImage } = await import("./fetch.ts");
    await completeImage(image, work);
    await load();
  }
}

/** The name of an image that has none. */
const passingName = "localhost/xbuild:latest";

/** A layout of its own for skopeo to read: a build beside us may give the store's name to another image. */
async function exportApart(
  exported: Image | ImageIndex,
  layout: Layout,
  { store, run }: Work,
): Promise<string> {
  const directory = join(run.directory, "export");
  await exportLayout(store, exported, { ...layout, directory, isOurs: true });
  return `oci:${directory}:${layout.name}`;
}

/** What it is called there, and whether layers that are elsewhere may be missing in it. */
interface Layout extends Pick<ExportOptions, "isPartial"> {
  readonly name: string;
}

/** The same for forms in which layers have no addresses of their own. */
export async function exportForCopy(image: Image, layout: Layout, work: Work): Promise<string> {
  const reference = await exportApart(image, layout, work);
  await dropLayerAddresses(join(work.run.directory, "export"), image);
  return reference;
}

/** Writes the image to where one `-o` says. */
export async function writeDestination(
  outgoing: Outgoing,
  destination: Destination,
  work: Work,
): Promise<void> {
  const { image, request } = outgoing;
  const { run, engine } = work;
  if (destination.kind === "files") {
    const write = async (): Promise<void> => {
      const reference = await exportForCopy(image, { name: passingName }, work);
      const source = { reference, image, format: request.format, scratch: run.directory };
      await engine.writeFiles(source, destination.text, work);
    };
    return inStep(`Writing the files of -o ${destination.text}`, write, work);
  }
  const written = { exported: image, names: request.names };
  await writePlace(written, destination, work);
}

/** What is written as a whole, and its names. */
export interface Written extends Pick<DeliveryRequest, "names"> {
  readonly exported: Image | ImageIndex;
}

/** Writes an image, or an index of several, into a layout or an archive. */
export async function writePlace(
  { exported, names }: Written,
  destination: Exclude<Destination, { readonly kind: "files" }>,
  work: Work,
): Promise<void> {
  const { kind } = destination;
  const done = work.reporter.step(`Writing ${kind}:${destination.path}`);
  const name = destination.name ?? names[0]?.full;
  const path = resolve(destination.path);
  if (kind === "oci") {
    const options = { directory: path, name };
    await explain(`-o oci:${path}`, () => exportLayout(work.store, exported, options));
  } else {
    const archive = { kind, path, name: name ?? passingName };
    await writeArchive(exported, archive, { ...work, progress: done.progress });
  }
  done();
}

/**
 * Written beside its place and then moved there: what stood there before stays until the new one is whole. What is
 * no plain file, and a path that skopeo would split at its colon, gets the bytes from the run's directory.
 */
async function writeArchive(
  image: Image | ImageIndex,
  archive: Archive,
  work: Work & Pick<Step, "progress">,
): Promise<void> {
  const { kind, path } = archive;
  const what = `-o ${kind}:${path}`;
  const target = findTarget(path, what);
  if (target.kind !== "file" || target.path.includes(":") || !mayWrite(dirname(target.path))) {
    return streamArchive(image, archive, work);
  }
  const unfinished = nameUnfinished(target.path);
  try {
    await copyArchive(image, { ...archive, path: unfinished }, work);
    await explain(what, () => replaceFile(target, unfinished));
  } finally {
    await rm(unfinished, { force: true });
  }
}

async function streamArchive(
  image: Image | ImageIndex,
  archive: Archive,
  work: Work & Pick<Step, "progress">,
): Promise<void> {
  const { run, progress, signal } = work;
  const finished = join(run.directory, "archive.tar");
  await rm(finished, { force: true });
  await copyArchive(image, { ...archive, path: finished }, work);
  const onWait = (): void => progress({ now: "waiting for a reader" });
  const content = createReadStream(finished);
  const what = `-o ${archive.kind}:${archive.path}`;
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
  exported: Image | ImageIndex,
  { kind, path, name }: Archive,
  work: Work,
): Promise<void> {
  const place = `${kind}:${path}:${name}`;
  const { signal } = work;
  if ("images" in exported) {
    if (kind === "docker-archive") throw oneImageOnly();
    const reference = await exportApart(exported, { name }, work);
    return copyImage(reference, place, { all: true, signal });
  }
  const isDocker = kind === "docker-archive";
  const reference = await (isDocker ? exportForCopy : exportApart)(exported, { name }, work);
  const format = isDocker ? "docker" : "oci";
  const source = { reference, image: exported, format, scratch: work.run.directory } as const;
  return copyAs(source, place, signal);
}

/** Docker's archives have no place for an index. */
function oneImageOnly(): XbuildError {
  const message = "a docker-archive: cannot have the images of several platforms";
  const hint = "write oci-archive:FILE, or build one --platform at a time";
  return new XbuildError("output-destination", message, { hint });
}

/** Lays an image out in a new directory of the run, with all its layers: those that are elsewhere are fetched. */
export async function layOutImage(image: Image, directory: string, work: Work): Promise<void> {
  await work.run.mustHold(image);
  if ((await listMissingLayers(work.store, image)).length > 0) {
    const { completeImage } = await import("./fetch.ts");
    await completeImage(image, work);
  }
  await exportLayout(work.store, image, { directory, isOurs: true });
}

function nameStorage({ name, isElsewhere }: Work["engine"]): string {
  return isElsewhere ? "the Docker daemon" : `${name}'s storage`;
}
