import { type Descriptor, isExternal } from "../oci/oci.ts";
import type { Step } from "../reporter.ts";
import { findBlob } from "../store/store.ts";
import { describeLayers, sumSizes } from "../units.ts";
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
  try {
    const find = await createFindLayer(push, stop.signal, work);
    const send = createSend(push, { ...work, stop: stop.signal });
    const place = async (layer: Descriptor): Promise<Placement> => {
      const presence = await find(layer);
      const isThere = presence.kind === "there" || presence.kind === "believed";
      return isThere || isExternal(layer) ? { layer, presence } : send(layer, presence);
    };
    const config = sendConfig(push, { ...work, stop: stop.signal });
    const [placed] = await Promise.all([
      Promise.all(listLayers(push.image).map((layer) => place(layer))),
      config,
    ]);
    const lacking = placed.filter((one) => one.isLacking === true).map(({ layer }) => layer);
    if (lacking.length > 0) await bringLayers(push, lacking, work);
    const others = await Promise.all(lacking.map((layer) => send(layer, { kind: "unknown" })));
    return sumUp([...placed.filter((one) => one.isLacking !== true), ...others]);
  } catch (error) {
    stop.abort(error);
    throw error;
  }
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
  const going: Descriptor[] = [];
  let gone = 0;
  const tell = (bytes: number): void => {
    gone += bytes;
    progress({ bytes: gone, total: sumSizes(going), now: describeLayers(going) });
  };
  return async (layer, presence) => {
    const path = await findBlob(store, layer);
    if (path === undefined) return { layer, presence, isLacking: true };
    going.push(layer);
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
