import { join } from "node:path";
import { type Image, type ImageIndex, platformOf, renderPlatform } from "../oci/oci.ts";
import { inStep, type Step } from "../reporter.ts";
import { describeLayers } from "../units.ts";
import { exportForCopy, type Work, writePlace } from "./destinations.ts";
import type { DeliveryRequest, Destination } from "./request.ts";

/** An index whose images the store has as a whole. */
export interface OutgoingIndex {
  readonly index: Pick<ImageIndex, "images">;
  readonly request: Pick<DeliveryRequest, "names" | "format">;
}

/** Loads the images into the engine's storage, as a manifest list of these names. */
export async function loadIndex(
  outgoing: OutgoingIndex,
  names: readonly string[],
  work: Work,
): Promise<void> {
  const done = work.reporter.step(`Loading into ${work.engine.name}'s storage`);
  done.progress({
    now: describeLayers(outgoing.index.images.flatMap((one) => one.manifest.layers)),
  });
  await work.engine.loadList(await listSources(outgoing, work), names, work);
  done();
}

/** `--manifest`: adds the images to a list of the engine's storage. */
export async function addToEngineList(
  outgoing: OutgoingIndex,
  list: string,
  work: Work,
): Promise<void> {
  const done = work.reporter.step(`Adding to the list ${list} of ${work.engine.name}'s storage`);
  await work.engine.addToList(await listSources(outgoing, work), list, work);
  done();
}

type Source = Parameters<Work["engine"]["loadImage"]>[0];

async function listSources(
  { index, request: { format } }: OutgoingIndex,
  work: Work,
): Promise<readonly Source[]> {
  const sources: Source[] = [];
  for (const image of index.images) {
    const name = `localhost/${nameDirectory(image)}:latest`;
    const reference = await exportForCopy(image, { name }, work);
    sources.push({ reference, image, format, scratch: work.run.directory });
  }
  return sources;
}

/** `linux_arm64`: as BuildKit names the directory of a platform's files. */
function nameDirectory(image: Image): string {
  return renderPlatform(platformOf(image)).replaceAll("/", "_");
}

/** Writes the index to where one `-o` says; of files, a directory for each platform. */
export async function writeIndexDestination(
  outgoing: OutgoingIndex & { readonly index: ImageIndex },
  destination: Destination,
  work: Work,
): Promise<void> {
  const { index, request } = outgoing;
  if (destination.kind !== "files") {
    return writePlace({ exported: index, names: request.names }, destination, work);
  }
  const write = ({ progress }: Step): Promise<void> =>
    writeFiles(outgoing, destination.text, { ...work, progress });
  await inStep(`Writing the files of -o ${destination.text}`, write, work);
}

async function writeFiles(
  outgoing: OutgoingIndex,
  text: string,
  work: Work & Pick<Step, "progress">,
): Promise<void> {
  const target = parseFiles(text);
  if (target.type === "tar") {
    const { writeTar } = await import("./platform-tar.ts");
    const files = await listPlatformFiles(outgoing, work);
    return writeTar(files, target.path, work);
  }
  for (const { directory, source } of await listPlatformFiles(outgoing, work)) {
    await work.engine.writeFiles(source, `type=local,dest=${join(target.path, directory)}`, work);
  }
}

/** An image whose files are written, and the name of the directory that they stand in. */
export interface PlatformFiles {
  readonly directory: string;
  readonly source: Source;
}

async function listPlatformFiles(
  outgoing: OutgoingIndex,
  work: Work,
): Promise<readonly PlatformFiles[]> {
  const sources = await listSources(outgoing, work);
  return sources.map((source) => ({ directory: nameDirectory(source.image), source }));
}

interface FilesTarget {
  readonly type: "local" | "tar";
  /** "-" is standard output. */
  readonly path: string;
}

/** As buildah reads `-o`: `type=local|tar,dest=PATH`, a directory, or `-` for a tar. buildah, `GetBuildOutput` */
function parseFiles(text: string): FilesTarget {
  if (text === "-") return { type: "tar", path: "-" };
  if (!text.includes("=")) return { type: "local", path: text };
  const pairs = text.split(",").map((pair): readonly [string, string] => {
    const at = pair.indexOf("=");
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  const { type = "local", dest = "" } = Object.fromEntries(pairs);
  return { type: type === "tar" ? "tar" : "local", path: dest };
}
