import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { copyAs, dropLayerAddresses } from "../copy/copy.ts";
import type { Image } from "../oci/oci.ts";
import { exportLayout, type Run } from "../store/store.ts";
import { explain, nameUnfinished, prepareFile, replaceFile } from "../system/place-file.ts";
import { findTarget, mayWrite } from "../system/target.ts";
import type { DeliveryRequest, Destination } from "./request.ts";
import type { EngineWorkspace } from "./workspace.ts";

/** An image that the store has as a whole, on its way to somewhere on this machine. */
export interface Outgoing {
  readonly image: Image;
  readonly request: Pick<DeliveryRequest, "names" | "format">;
}

type Work = EngineWorkspace & { readonly run: Run };

/** Loads the image into the engine's storage, under these names. */
export async function loadImage(
  { image, request: { format } }: Outgoing,
  names: readonly string[],
  work: Work,
): Promise<void> {
  const done = work.reporter.step(`Loading into ${work.engine.name}'s storage`);
  const reference = await exportForCopy(image, names[0] ?? passingName, work);
  const source = { reference, image, format, scratch: work.run.directory };
  await work.engine.loadImage(source, names, work);
  done();
}

/** The name of an image that has none. */
const passingName = "localhost/xbuild:latest";

/** A layout of its own for skopeo to read: a build beside us may give the store's name to another image. */
async function exportImage(image: Image, name: string, { store, run }: Work): Promise<string> {
  const directory = join(run.directory, "export");
  await exportLayout(store, image, { directory, name, isOurs: true });
  return `oci:${directory}:${name}`;
}

/** The same for forms in which layers have no addresses of their own. */
async function exportForCopy(image: Image, name: string, work: Work): Promise<string> {
  const reference = await exportImage(image, name, work);
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
  const { store, run, reporter, engine } = work;
  if (destination.kind === "files") {
    const reference = await exportForCopy(image, passingName, work);
    const source = { reference, image, format: request.format, scratch: run.directory };
    return engine.writeFiles(source, destination.text, work);
  }
  const done = reporter.step(`Writing ${destination.kind}:${destination.path}`);
  const name = destination.name ?? request.names[0]?.full;
  const { kind } = destination;
  const path = resolve(destination.path);
  if (kind === "oci") {
    await explain(`-o oci:${path}`, () => exportLayout(store, image, { directory: path, name }));
  } else await writeArchive(image, { kind, path, name: name ?? passingName }, work);
  done();
}

/**
 * Written beside its place and then moved there: what stood there before stays until the new one is whole. What is
 * no plain file, and a path that skopeo would split at its colon, gets the bytes from the run's directory.
 */
async function writeArchive(image: Image, archive: Archive, work: Work): Promise<void> {
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

async function streamArchive(image: Image, archive: Archive, work: Work): Promise<void> {
  const { run, reporter, signal } = work;
  const finished = join(run.directory, "archive.tar");
  await rm(finished, { force: true });
  await copyArchive(image, { ...archive, path: finished }, work);
  const onWait = (): void => reporter.progress("waiting for a reader");
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

async function copyArchive(image: Image, { kind, path, name }: Archive, work: Work): Promise<void> {
  const isDocker = kind === "docker-archive";
  const reference = await (isDocker ? exportForCopy : exportImage)(image, name, work);
  const format = isDocker ? "docker" : "oci";
  const source = { reference, image, format, scratch: work.run.directory } as const;
  await copyAs(source, `${kind}:${path}:${name}`, work.signal);
}
