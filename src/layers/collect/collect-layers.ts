import { availableParallelism } from "node:os";
import type { Diagnostic } from "../../diagnostics.ts";
import { createDirectoryLog, type DirectoryLog } from "./directories.ts";
import { collectExact } from "./exact.ts";
import { describeEntry, nameLayer, type FoundLayer } from "./found-layer.ts";
import type { Listing } from "./listing.ts";
import { collectLoose } from "./loose.ts";
import type { CollectedEntry, CollectOptions } from "../model.ts";
import type { OutputScan } from "../directory/output-scan.ts";
import { mapParallel } from "./parallel.ts";
import type { PreviousLayers } from "./previous.ts";
import { readTreeXattrs, type FindXattrs } from "./xattrs.ts";

export interface CollectContext {
  readonly options: CollectOptions;
  readonly previous: PreviousLayers;
  readonly warn: (warning: Diagnostic) => void;
}

/** Layers that are worked on at once; each has some blocks in memory. */
const maxParallel = Math.min(4, availableParallelism());

interface Work extends CollectContext {
  readonly scan: OutputScan;
  readonly log: DirectoryLog;
  readonly findXattrs: FindXattrs;
}

/** The image's entries in the build's order, their layers packed, checked and staged. */
export async function collectLayers(
  listings: readonly Listing[],
  scan: OutputScan,
  context: CollectContext,
): Promise<readonly CollectedEntry[]> {
  const abort = new AbortController();
  const signals = [
    abort.signal,
    ...(context.options.signal === undefined ? [] : [context.options.signal]),
  ];
  const options = { ...context.options, signal: AbortSignal.any(signals) };
  const findXattrs = await readTreeXattrs(scan, { warn: context.warn, signal: options.signal });
  const work: Work = { ...context, options, scan, findXattrs, log: createDirectoryLog() };
  const jobs = listJobs(listings);
  const layers = await mapParallel(jobs, (listing) => collectLayer(listing, work), {
    limit: maxParallel,
    abort: (reason) => abort.abort(reason),
  });
  const bySource = new Map(jobs.map((listing, index) => [identifySource(listing), layers[index]]));
  warnDirectories(listings, work);
  return listings.map((listing) => describeEntry(listing, bySource.get(identifySource(listing))));
}

/** A blob or a loose layer may be listed several times; its bytes are read once. */
function listJobs(listings: readonly Listing[]): readonly Listing[] {
  const jobs = new Map<unknown, Listing>();
  for (const listing of listings) {
    const source = identifySource(listing);
    if (!jobs.has(source)) jobs.set(source, listing);
  }
  return [...jobs.values()];
}

/** Equal for listings whose layer comes from the same bytes. */
function identifySource(listing: Listing): unknown {
  if (listing.kind === "blob") return listing.digest;
  return listing.kind === "empty" ? undefined : listing.layer;
}

async function collectLayer(listing: Listing, work: Work): Promise<FoundLayer | undefined> {
  const onEntry = work.log.recorder(identifySource(listing));
  if (listing.kind === "kept") return { kind: "kept", layer: listing.layer };
  if (listing.kind === "blob") return collectExact(listing.digest, { ...work, onEntry });
  const { layerDirectory } = work.scan;
  if (listing.kind === "empty" || layerDirectory === undefined) return undefined;
  const job = { directory: layerDirectory, layer: listing.layer, name: nameLayer(listing) };
  return collectLoose(job, { ...work, onEntry });
}

function warnDirectories(listings: readonly Listing[], work: Work): void {
  const order = listings.map((listing) => ({
    layer: identifySource(listing),
    name: nameLayer(listing),
  }));
  for (const warning of work.log.compare(order)) work.warn(warning);
}
