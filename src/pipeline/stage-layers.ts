import type { LayerIdentity } from "../archive/archive.ts";
import { fetchFrom, type LayerClaim, verifyLayers } from "../delivery/delivery.ts";
import type { CollectedEntry, CollectedLayer, CollectedOutput } from "../layers/layers.ts";
import { annotateFingerprint, type Digest, type LayerFiles } from "../oci/oci.ts";
import { findBlob, type StagedBlob, type Store } from "../store/store.ts";
import type { BaseImage } from "./bases.ts";
import { needsBytes, type BuildRequest } from "./request.ts";
import type { StepsResult } from "./prepare-layers.ts";
import type { BuildRunWorkspace } from "./workspace.ts";

/** The layers of an image to be, those of the bases too. */
export function listLayers(output: CollectedOutput): readonly CollectedLayer[] {
  return output.entries.flatMap((one) => (one.kind === "layer" ? [one.layer] : []));
}

/** Where layers are that were not packed: of previous images, and of those of --from. */
export function joinPlaces({
  made,
  previous,
  bases,
}: StepsResult): Pick<BaseImage, "files" | "locations"> {
  const brought = made.kind === "directory" ? made.prepared.files : new Map<Digest, string>();
  return {
    files: new Map([...brought, ...bases.flatMap((one) => [...one.files])]),
    locations: [...previous, ...bases].flatMap((one) => one.locations),
  };
}

/** For whom layers are staged, and what they may come from. */
export interface Staging {
  readonly request: BuildRequest;
  readonly result: StepsResult;
}

export interface StagedLayers {
  /** With what was found out of layers that came from elsewhere. */
  readonly output: CollectedOutput;
  /** What was packed. */
  readonly stagedBlobs: readonly StagedBlob[];
  /** What came for this build and is kept. */
  readonly files: LayerFiles;
}

/**
 * All bytes that the store is to take: what was packed, what came for this build and is kept, and of layers that are
 * elsewhere those that are needed here: where the image is loaded or written, and where nobody is trusted. What
 * comes from elsewhere is checked against what is claimed of it. Errors: `image-untrue`, `layer-gone`, `registry-*`.
 */
export async function stageLayers(
  output: CollectedOutput,
  { request, result }: Staging,
  work: BuildRunWorkspace,
): Promise<StagedLayers> {
  const layers = listLayers(output);
  const { files: known, locations } = joinPlaces(result);
  const kept = layers.filter((layer) => layer.blob === undefined);
  const came = pickFiles(kept, known);
  // Those that nobody is trusted to tell are computed here.
  const check = { claims: kept, fingerprints: request.reuse.trust === "none" };
  const identities = await verifyLayers(check, came, work);
  const missing = needsBytes(request) ? await listMissing(kept, came, work.store) : [];
  const fetched = await fetchFrom({ ...check, claims: missing, locations }, work);
  return {
    output: withIdentities(output, new Map([...identities, ...fetched.identities])),
    stagedBlobs: layers.flatMap(({ blob }) => blob ?? []),
    files: new Map([...came, ...fetched.files]),
  };
}

/** The files of those layers that have one. */
function pickFiles(layers: readonly LayerClaim[], files: LayerFiles): LayerFiles {
  const picked = layers.flatMap(({ descriptor: { digest } }): readonly [Digest, string][] => {
    const path = files.get(digest);
    return path === undefined ? [] : [[digest, path]];
  });
  return new Map(picked);
}

/** Those whose bytes are neither here nor on their way. */
async function listMissing(
  layers: readonly LayerClaim[],
  files: LayerFiles,
  store: Store,
): Promise<readonly LayerClaim[]> {
  const others = layers.filter(({ descriptor }) => !files.has(descriptor.digest));
  const here = await Promise.all(others.map(({ descriptor }) => findBlob(store, descriptor)));
  return others.filter((_, index) => here[index] === undefined);
}

function withIdentities(
  output: CollectedOutput,
  identities: ReadonlyMap<Digest, LayerIdentity>,
): CollectedOutput {
  return { ...output, entries: output.entries.map((entry) => withIdentity(entry, identities)) };
}

/** What was computed here is ours to say. */
function withIdentity(
  entry: CollectedEntry,
  identities: ReadonlyMap<Digest, LayerIdentity>,
): CollectedEntry {
  if (entry.kind === "empty") return entry;
  const { descriptor } = entry.layer;
  const fingerprint = identities.get(descriptor.digest)?.fingerprint;
  if (fingerprint === undefined) return entry;
  const annotations = { ...descriptor.annotations, ...annotateFingerprint(fingerprint) };
  return { ...entry, layer: { ...entry.layer, descriptor: { ...descriptor, annotations } } };
}
