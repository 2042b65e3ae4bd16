import { type Descriptor, isExternal } from "../oci/oci.ts";
import type { Step } from "../reporter.ts";
import { findBlob } from "../store/store.ts";
import { describeLayers } from "../units.ts";
import { createFindLayer, type Presence } from "./find-layer.ts";
import { findCheck } from "./seen-layers.ts";
import { bringLayers, listLayers, type Push, type PushWorkspace } from "./push-layers.ts";

/** What became of the layers of a push: the repository has them now. */
export interface Placed {
  readonly sent: readonly Descriptor[];
  /** The one seen longest ago; undefined where one is only believed to be there. */
  readonly seenAt: number | undefined;
}

type SendWorkspace = PushWorkspace & Pick<Step, "progress">;

/**
 * Sees to it that a repository has all blobs of an image: each layer is asked for, mounted or sent beside the others, and
 * what is neither there nor here is fetched from where it is. A registry takes an image without the layers that are
 * said to be elsewhere (`urls`). Errors: `layer-gone`, `registry-*`
 */
export async function placeBlobs(push: Push, work: SendWorkspace): Promise<Placed> {
  const stop = new AbortController();
  const stoppable = { ...work, stop: stop.signal };
  try {
    const config = sendConfig(push, stoppable);
    const [placed] = await Promise.all([placeLayers(push, stoppable), config]);
    return sumUp(placed);
  } catch (error) {
    stop.abort(error);
    throw error;
  }
}

async function placeLayers(push: Push, work: StoppedWorkspace): Promise<readonly Placement[]> {
  const find = await createFindLayer(push, work.stop, work);
  const send = createSend(push, work);
  const found = listLayers(push.image).map(async (layer): Promise<Placement> => {
    return { layer, presence: await find(layer) };
  });
  const tell = async (): Promise<void> => {
    const rest = (await Promise.all(found)).filter((one) => !isDone(one));
    work.progress({ now: describeLayers(rest.map(({ layer }) => layer)) });
  };
  const place = async (one: Placement): Promise<Placement> =>
    isDone(one) ? one : send(one.layer, one.presence);
  const placing = found.map(async (one) => place(await one));
  const [placed] = await Promise.all([Promise.all(placing), tell()]);
  const lacking = placed.filter((one) => one.isLacking === true).map(({ layer }) => layer);
  if (lacking.length > 0) await bringLayers(push, lacking, work);
  const others = await Promise.all(lacking.map((layer) => send(layer, { kind: "unknown" })));
  return [...placed.filter((one) => one.isLacking !== true), ...others];
}

/** Whether it need not be sent. */
function isDone({ layer, presence: { kind } }: Placement): boolean {
  return kind === "there" || kind === "believed" || isExternal(layer);
}

interface Placement {
  readonly layer: Descriptor;
  readonly presence: Presence;
  readonly isSent?: boolean;
  /** Neither here nor there. */
  readonly isLacking?: boolean;
}

function sumUp(placed: readonly Placement[]): Placed {
  const own = placed.filter(({ layer }) => !isExternal(layer));
  const times = own.flatMap(({ presence }) => (presence.kind === "there" ? presence.seenAt : []));
  const seenAt = times.length < own.length ? undefined : Math.min(Date.now(), ...times);
  return { sent: placed.filter((one) => one.isSent === true).map(({ layer }) => layer), seenAt };
}

type StoppedWorkspace = SendWorkspace & { readonly stop: AbortSignal };

/** What sends a layer, where it is here, and tells how far they all are. */
function createSend(
  { repository }: Push,
  { answers, store, progress, stop }: StoppedWorkspace,
): (layer: Descriptor, presence: Presence) => Promise<Placement> {
  const transfers = answers.session.openTransfers(stop);
  let [gone, total] = [0, 0];
  const tell = (bytes: number): void => progress({ bytes: (gone += bytes), total });
  return async (layer, presence) => {
    const path = await findBlob(store, layer);
    if (path === undefined) return { layer, presence, isLacking: true };
    total += layer.size;
    tell(0);
    const source = { ...layer, path, onBytes: tell, isAbsent: presence.kind === "missing" };
    const isSent = await transfers.pushBlob(repository, source);
    return { layer, presence: { kind: "there", seenAt: Date.now() }, isSent };
  };
}

/**
 * The store has it: a run holds the image. It is smaller than the question whether the registry has it is worth; that it
 * gives out the image itself says so, too.
 */
async function sendConfig(
  { image, repository }: Push,
  { answers, stop, ...work }: StoppedWorkspace,
): Promise<void> {
  const isKnown = (await findCheck(image, repository, work)) !== undefined;
  if (isKnown && (await answers.hasManifest(repository, image.digest))) return;
  const { config } = image.manifest;
  const path = await findBlob(work.store, config);
  if (path === undefined) return;
  const source = { ...config, path, isAbsent: true };
  await answers.session.openTransfers(stop).pushBlob(repository, source);
}
