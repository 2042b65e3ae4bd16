import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { LayerIdentity } from "../archive/archive.ts";
import { fetchLayers, referToDigest } from "../copy/copy.ts";
import type { Descriptor, Digest, Image, LayerFiles, Location } from "../oci/oci.ts";
import { commitImage, listMissingLayers, readLocations } from "../store/store.ts";
import { renderSize, sumSizes } from "../units.ts";
import { assertNotExternal, createLayersGone } from "./useless-layers.ts";
import { listClaims, verifyLayers, type LayerCheck, type LayerClaim } from "./verify-layers.ts";
import type { RunWorkspace, Workspace } from "./workspace.ts";

/**
 * Brings the layers of an image that are not here from the registries that have them into the store: a
 * destination needs their bytes. Errors: `layer-gone`, `image-untrue`, `registry-*`.
 */
export async function completeImage(image: Image, work: RunWorkspace): Promise<void> {
  await bringLayers(image, await listMissingLayers(work.store, image), work);
}

/** The same for some of its layers. Errors: as `completeImage` */
export async function bringLayers(
  image: Image,
  layers: readonly Descriptor[],
  work: RunWorkspace,
): Promise<void> {
  if (layers.length === 0) return;
  const locations = await readLocations(work.store, image.digest);
  const { files } = await fetchFrom({ locations, claims: pickClaims(image, layers) }, work);
  await adoptLayers(image, files, work);
}

/** What an image says of these layers of its. */
export function pickClaims(image: Image, layers: readonly Descriptor[]): readonly LayerClaim[] {
  const wanted = new Set(layers.map((layer) => layer.digest));
  return listClaims(image).filter(({ descriptor }) => wanted.has(descriptor.digest));
}

/** Takes layers of an image that the store has into the store too. */
export async function adoptLayers(
  image: Image,
  files: LayerFiles,
  { run }: Pick<RunWorkspace, "run">,
): Promise<void> {
  await commitImage(run, { image, files, names: [] });
}

/** Layers, what is claimed of them, and where they may be. */
export interface WantedLayers extends LayerCheck {
  readonly locations: readonly Location[];
}

export interface FetchedLayers {
  /** The file of each. */
  readonly files: LayerFiles;
  readonly identities: ReadonlyMap<Digest, LayerIdentity>;
}

/**
 * Brings these layers from the first location that has each, all that a location has at once, and checks them
 * against what is claimed of them.
 * Errors: `layer-gone` where none has one any more, `image-untrue`, `registry-*`.
 */
export async function fetchFrom(
  { locations, ...check }: WantedLayers,
  work: RunWorkspace,
): Promise<FetchedLayers> {
  const wanted = [
    ...new Map(check.claims.map(({ descriptor }) => [descriptor.digest, descriptor])).values(),
  ];
  const files = new Map<Digest, string>();
  for (const location of locations) {
    const here = new Set(location.layers);
    const asked = wanted.filter(({ digest }) => here.has(digest) && !files.has(digest));
    if (asked.length === 0) continue;
    const directory = await mkdtemp(join(work.run.directory, "fetched-"));
    const brought = await fetchOne(location, { asked, directory }, work);
    for (const [digest, path] of brought) files.set(digest, path);
  }
  const unavailable = wanted.filter(({ digest }) => !files.has(digest));
  assertNotExternal(unavailable);
  if (unavailable.length > 0) throw createLayersGone(unavailable, locations);
  return { files, identities: await verifyLayers(check, files, work) };
}

async function fetchOne(
  { repository, manifest }: Location,
  { asked, directory }: { readonly asked: readonly Descriptor[]; readonly directory: string },
  work: Workspace,
): Promise<LayerFiles> {
  const { registries: access, reporter, signal } = work;
  const total = sumSizes(asked);
  const what = asked.length === 1 ? "1 layer" : `${asked.length} layers`;
  const done = reporter.step(`Fetching ${what} from ${repository}`);
  const onBytes = (bytes: number): void => done.progress({ bytes, total });
  const source = referToDigest(repository, manifest);
  const { withTransfers } = await import("../registry/registry.ts");
  const files = await withTransfers(access, signal, (transfers) =>
    fetchLayers(source, { layers: asked, directory }, { access, signal, transfers, onBytes }),
  );
  const lost = asked.length - files.size;
  // Another repository may still have what this one has not.
  done(lost === 0 ? renderSize(total) : `${lost} not there any more`);
  return files;
}
