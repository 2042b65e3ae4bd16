import {
  type Image,
  type ImageIndex,
  mergeIndex,
  namePlatform,
  type WantedPlatform,
} from "../oci/oci.ts";
import { commitIndex, findIndex, listMissingLayers, type Run } from "../store/store.ts";
import { inBriefStep } from "../reporter.ts";
import type { Delivery } from "./deliver.ts";
import { type DeliveryRequest, listNames } from "./request.ts";
import type { EngineWorkspace } from "./workspace.ts";

type Work = EngineWorkspace & { readonly run: Run };

/**
 * Hands an index on, as `deliverImage` does an image: registries get it with all its images, the engine's storage a
 * manifest list. What is there already is left alone. Errors: as `deliverImage`.
 * @param work its run holds the images
 */
export async function deliverIndex(
  index: ImageIndex,
  delivery: Pick<Delivery, "request" | "isChecked">,
  work: Work,
): Promise<void> {
  const hand = (): Promise<void> => deliver(index, delivery, work);
  await inBriefStep("Handing on the images", hand, work);
}

async function deliver(
  index: ImageIndex,
  { request, isChecked }: Pick<Delivery, "request" | "isChecked">,
  work: Work,
): Promise<void> {
  if (request.pushes.length > 0) {
    const { pushIndex } = await import("./push-index.ts");
    for (const destination of request.pushes) {
      await pushIndex(index, { destination, isChecked: isChecked === true }, work);
    }
  }
  const unloaded = await listUnloaded(index, request, work);
  if (unloaded.length + request.destinations.length === 0) return;
  await completeImages(index.images, work);
  const { loadIndex, writeIndexDestination } = await import("./index-destinations.ts");
  if (unloaded.length > 0) await loadIndex({ index, request }, unloaded, work);
  for (const destination of request.destinations) {
    await writeIndexDestination({ index, request }, destination, work);
  }
}

/**
 * `--manifest`: adds images to the list of that name, in the store and, where the image is loaded, in the engine's
 * storage; one of the same platform takes its predecessor's place. Errors: as `deliverIndex`.
 */
export async function addToList(
  images: readonly Image[],
  request: DeliveryRequest,
  work: Work,
): Promise<void> {
  const { list } = request;
  if (list === undefined) return;
  const add = (): Promise<void> => addImages(images, { request, list }, work);
  await inBriefStep(`Adding to the list ${list.name.full}`, add, work);
}

interface ListAddition {
  readonly request: DeliveryRequest;
  readonly list: NonNullable<DeliveryRequest["list"]>;
}

async function addImages(
  images: readonly Image[],
  { request, list }: ListAddition,
  work: Work,
): Promise<void> {
  const name = list.name.full;
  const index = mergeIndex(await findIndex(work.store, name), images);
  // Others of the list may have been made long ago.
  for (const image of index.images) await work.run.mustHold(image);
  await commitIndex(work.run, { index, names: [name] });
  if (list.push !== undefined) {
    const { pushIndex } = await import("./push-index.ts");
    await pushIndex(index, { destination: list.push }, work);
  }
  if (!request.load || (await hasAll(images, name, work))) return;
  await completeImages(images, work);
  const { addToEngineList } = await import("./index-destinations.ts");
  await addToEngineList({ index: { images }, request }, name, work);
}

/** Names that stand for no list of just these images in the engine's storage. */
async function listUnloaded(
  { manifests }: ImageIndex,
  request: DeliveryRequest,
  { engine }: Work,
): Promise<readonly string[]> {
  const names = request.load ? listNames(request) : [];
  const wanted = describeEntries(manifests);
  const lists = await Promise.all(names.map((name) => engine.readList(name)));
  return names.filter((_, at) => {
    const entries = lists[at];
    return entries === undefined || describeEntries(entries) !== wanted;
  });
}

interface Entry {
  readonly digest: string;
  readonly platform?: WantedPlatform;
}

/** The order says nothing: each is found by its platform. */
function describeEntries(entries: readonly Entry[]): string {
  const lines = entries.map(({ digest, platform }) =>
    platform === undefined ? digest : `${digest} ${namePlatform(platform)}`,
  );
  return lines.toSorted().join("\n");
}

async function hasAll(images: readonly Image[], list: string, { engine }: Work): Promise<boolean> {
  const known = new Set((await engine.readList(list))?.map(({ digest }) => digest));
  return images.every(({ digest }) => known.has(digest));
}

/** Who loads an image or writes it into a layout needs the bytes of all its layers. */
async function completeImages(images: readonly Image[], work: Work): Promise<void> {
  for (const image of images) {
    if ((await listMissingLayers(work.store, image)).length === 0) continue;
    const { completeImage } = await import("./fetch.ts");
    await completeImage(image, work);
  }
}
