import type { LayerIdentity } from "../archive/archive.ts";
import {
  fetchFrom,
  type LayerCheck,
  type LayerClaim,
  listClaims,
  verifyLayers,
} from "../delivery/delivery.ts";
import type {
  CollectedEntry,
  CollectedLayer,
  CollectedOutput,
  PreviousImages,
} from "../layers/layers.ts";
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
 * elsewhere those that are needed here: where the image is loaded or written, and where nobody who is trusted tells of them. What
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
  const brought = { files: new Map(pickFiles(kept, known)), identities: new Map() };
  // What nobody tells whose word is taken is computed here.
  const isDoubted = request.reuse.trust === "none" ? () => true : createDoubt(result);
  const [doubted, believed] = [kept.filter(isDoubted), kept.filter((one) => !isDoubted(one))];
  const check = { locations, isWanted: needsBytes(request) };
  await bringLayers({ ...check, claims: believed }, brought, work);
  await bringLayers(
    { ...check, claims: doubted, fingerprints: true, isWanted: true },
    brought,
    work,
  );
  return {
    output: withIdentities(output, brought.identities),
    stagedBlobs: layers.flatMap(({ blob }) => blob ?? []),
    files: brought.files,
  };
}

interface Brought {
  readonly files: Map<Digest, string>;
  readonly identities: Map<Digest, LayerIdentity>;
}

interface WantedLayers extends LayerCheck, Pick<BaseImage, "locations"> {
  /** Whether the bytes of those that are elsewhere are wanted. */
  readonly isWanted: boolean;
}

/** Checks those that came, and brings those that are wanted and are not here. @param brought what is added to */
async function bringLayers(
  { isWanted, ...wanted }: WantedLayers,
  { files, identities }: Brought,
  work: BuildRunWorkspace,
): Promise<void> {
  const own = await verifyLayers(wanted, pickFiles(wanted.claims, files), work);
  const claims = isWanted ? await listMissing(wanted.claims, files, work.store) : [];
  const fetched = await fetchFrom({ ...wanted, claims }, work);
  for (const [digest, path] of fetched.files) files.set(digest, path);
  for (const [digest, one] of [...own, ...fetched.identities]) identities.set(digest, one);
}

/** What only images say whose word is not taken, be it of a layer of a base. */
function createDoubt({ previous }: StepsResult): (claim: LayerClaim) => boolean {
  const believed = new Set(nameClaims(previous.filter((one) => one.trusted)));
  const doubted = nameClaims(previous.filter((one) => !one.trusted));
  const claims = new Set(doubted.filter((one) => !believed.has(one)));
  return (claim) => claims.has(nameClaim(claim));
}

function nameClaims(images: PreviousImages): readonly string[] {
  return images.flatMap(({ image }) => listClaims(image)).map(nameClaim);
}

function nameClaim({ descriptor, diffId }: LayerClaim): string {
  return `${descriptor.digest} ${diffId}`;
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
