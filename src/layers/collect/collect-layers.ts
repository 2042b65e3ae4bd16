import type { Diagnostic } from "../../diagnostics.ts";
import { createDirectoryLog, type DirectoryLog } from "./directories.ts";
import { collectExact } from "./exact.ts";
import { describeEntry, nameLayer, type FoundLayer } from "./found-layer.ts";
import { collectTree } from "./known-trees.ts";
import type { Listing } from "./listing.ts";
import { collectLoose } from "./loose.ts";
import type { CollectedEntry, CollectOptions } from "../model.ts";
import type { OutputScan } from "../directory/output-scan.ts";
import { createLayerJobs } from "./parallel.ts";
import type { PreviousLayers } from "./previous.ts";
import { countBegun, sumBytes } from "./progress.ts";
import { readTreeXattrs, type FindXattrs } from "./xattrs.ts";

export interface CollectContext {
  readonly options: CollectOptions;
  readonly previous: PreviousLayers;
  readonly warn: (warning: Diagnostic) => void;
}

interface Work extends CollectContext {
  readonly scan: OutputScan;
  readonly log: DirectoryLog;
  readonly findXattrs: FindXattrs;
  readonly findTree: CollectOptions["findTree"];
}

/** The image's entries in the build's order, their layers packed, checked and staged. */
export async function collectLayers(
  listings: readonly Listing[],
  scan: OutputScan,
  context: CollectContext,
): Promise<readonly CollectedEntry[]> {
  const jobs = createLayerJobs(context.options.signal);
  const { onProgress } = context.options;
  const options = { ...context.options, signal: jobs.signal, onProgress: sumBytes(onProgress) };
  let isUnread = false;
  const warn: CollectContext["warn"] = (warning) => {
    isUnread = true;
    context.warn(warning);
  };
  const { findTree } = options;
  // Archives have the attributes of their files with them.
  const findXattrs: FindXattrs =
    findTree === undefined
      ? await readTreeXattrs(scan, { warn, signal: options.signal })
      : () => [];
  // What could not be read now may be readable another time.
  const trees = isUnread ? undefined : options.trees;
  const log = createDirectoryLog();
  const work: Work = {
    ...context,
    options: { ...options, trees },
    scan,
    findXattrs,
    findTree,
    log,
  };
  const sources = listSources(listings);
  const begun = countBegun(sources.length, options);
  const layers = await jobs.map(sources, (listing) => {
    begun(nameLayer(listing));
    return collectLayer(listing, work);
  });
  const bySource = new Map(
    sources.map((listing, index) => [identifySource(listing), layers[index]]),
  );
  warnDirectories(listings, work);
  return listings.map((listing) => describeEntry(listing, bySource.get(identifySource(listing))));
}

/** A blob or a loose layer may be listed several times; its bytes are read once. */
function listSources(listings: readonly Listing[]): readonly Listing[] {
  const sources = new Map<unknown, Listing>();
  for (const listing of listings) {
    const source = identifySource(listing);
    if (!sources.has(source)) sources.set(source, listing);
  }
  return [...sources.values()];
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
  const early = await work.options.early?.take(job);
  const { trees } = work.options;
  if (trees !== undefined && listing.layer.kind === "tree")
    return collectTree(job, trees, { ...work, onEntry });
  if (early === undefined) return collectLoose(job, { ...work, onEntry });
  for (const entry of early.directories) onEntry(entry);
  work.options.onProgress?.({ bytes: early.bytes });
  return early.found;
}

function warnDirectories(listings: readonly Listing[], work: Work): void {
  const order = listings.map((listing) => ({
    layer: identifySource(listing),
    name: nameLayer(listing),
  }));
  for (const warning of work.log.compare(order)) work.warn(warning);
}
