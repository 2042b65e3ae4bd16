import { join } from "node:path";
import type { Descriptor, Digest, Image } from "../oci/oci.ts";
import { exportLayout } from "../store/store.ts";
import { locateImage, narrowLocations, readLocations, writeLocations } from "../store/store.ts";
import type { Store } from "../store/store.ts";
import type { Run } from "../store/store.ts";
import type { ImageReference } from "../copy/copy.ts";
import { isPushed, pushLayout } from "../copy/copy.ts";
import { createGone } from "./layers-gone.ts";
import { bringLayers, isWhole, listLayers, readyLayers, type Push } from "./push-layers.ts";
import type { BuildRequest, TransferPorts } from "../pipeline/pipeline.ts";
import { renderSize } from "../units.ts";

/**
 * Pushes an image of the store to a tag of a registry, its digest unchanged. What the registry has already
 * is not sent: layers of the same repository are found there, those of its other repositories are mounted
 * from them. Only where it declines that, or another registry has them, layers that are not here are fetched.
 * The tag comes last: until then it is what it was. Errors: `layer-gone`, `registry-*`.
 */
export async function pushImage(
  store: Store,
  run: Run,
  request: Pick<BuildRequest, "access">,
  ports: TransferPorts,
  image: Image,
  destination: ImageReference,
  isChecked = false,
): Promise<void> {
  const { repository } = destination;
  if (repository === undefined) return;
  const done = ports.reporter.step(`Pushing to ${destination.text.slice("docker://".length)}`);
  const push: Push = { store, run, request, ports, image, destination, repository, isChecked };
  const { access } = request;
  const options = { access, signal: ports.signal };
  const isThere = (await isPushed(destination, image.digest, options)) && (await isWhole(push));
  done(isThere ? "it is there already" : await transfer(push));
  const known = await readLocations(store, image.digest);
  const here = locateImage(image, repository);
  const others = known.filter((one) => one.repository !== repository);
  await writeLocations(store, image.digest, narrowLocations([here, ...others], image));
}

/** @returns what was moved, in words */
async function transfer(push: Push): Promise<string> {
  const { store, run, image, destination } = push;
  const known = await readyLayers(push);
  const layers = listLayers(image);
  const rest = layers.filter((layer) => !known.has(layer.digest));
  const directory = join(
    run.directory,
    `push-${destination.text.replaceAll(/[^A-Za-z0-9.-]/g, "_")}`,
  );
  const source = `oci:${directory}:localhost/xbuild:latest`;
  const write = (): Promise<void> =>
    exportLayout(store, image, directory, "localhost/xbuild:latest", {
      partial: true,
      isOurs: true,
    });
  await write();
  // The registry did not say beforehand that it has this layer no more, or could not be asked.
  const lacking = new Set(await send(push, source, rest));
  if (lacking.size > 0) {
    await bringLayers(
      push,
      layers.filter((layer) => lacking.has(layer.digest)),
    );
    await write();
    const gone = (await send(push, source, rest)).map((digest) => ({ digest }));
    if (gone.length > 0) throw createGone(gone, await readLocations(store, image.digest));
  }
  const there = layers.length - rest.length;
  const sent = `${rest.length} of ${layers.length} layers (${renderSize(sumSizes(rest))})`;
  return there === 0 ? sent : `${sent}, ${there} there already`;
}

/** @returns the blobs that neither the registry nor we have */
async function send(
  push: Push,
  source: string,
  rest: readonly Descriptor[],
): Promise<readonly Digest[]> {
  const { request, ports, destination } = push;
  const total = sumSizes(rest);
  const onBytes = (bytes: number): void =>
    ports.reporter.progress(`${renderSize(Math.min(bytes, total))} of ${renderSize(total)}`);
  const options = { access: request.access, signal: ports.signal, onBytes };
  return pushLayout(source, destination, options);
}

function sumSizes(layers: readonly Descriptor[]): number {
  return layers.reduce((sum, layer) => sum + layer.size, 0);
}
