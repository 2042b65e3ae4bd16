import type { Diagnostic } from "../../diagnostics.ts";
import { collectLayers } from "./collect-layers.ts";
import { explainSystem } from "./explain-system.ts";
import { assertLayerLimit } from "./layer-limit.ts";
import { listLayers } from "./list-layers.ts";
import type { Listing } from "./listing.ts";
import { refuseNoLayers } from "./no-layers.ts";
import type { CollectedOutput, CollectOptions } from "../model.ts";
import { scanOutput } from "../directory/output-scan.ts";
import { indexPrevious } from "./previous.ts";
import {
  closeDirectory,
  isDirectory,
  openOutput,
  refuse,
  type OutputDirectory,
} from "../../archive/archive.ts";
import { readAnnotations, readConfig, readHistory } from "../directory/documents.ts";
import type { OutputConfig } from "../directory/schema.ts";
import { collectState } from "../directory/state.ts";
import { limitWarnings } from "./warnings.ts";

/**
 * Makes layers of what a build left in its output directory: new blobs lie in `options.staging` afterwards,
 * checked and durable. Nothing outside the directory is read, whatever the build put there, and nothing
 * is unpacked. Errors: `output-...`, `layer-...`, `layers-...`, `blob-...`, `zstd-not-found`
 * (docs/errors); then the staging directory is of no use.
 */
export async function collectOutput(
  outputDirectory: string,
  options: CollectOptions,
): Promise<CollectedOutput> {
  const opened: OutputDirectory[] = [];
  options.early?.stop();
  try {
    const output = openOutput(outputDirectory);
    opened.push(output);
    assertNotReplaced(output, options);
    const scan = scanOutput(output, (directory) => opened.push(directory));
    const previous = indexPrevious(options.previous);
    const config = readConfig(output);
    const annotations = readAnnotations(output);
    const listings = listLayers(scan, readHistory(output), previous);
    if (countLayers(listings, options) === 0) throw refuseNoLayers(output, scan);
    assertCount(listings, options);
    const warnings: Diagnostic[] = [...scan.warnings];
    const warn = (warning: Diagnostic): void => {
      warnings.push(warning);
    };
    const state = scan.hasState ? collectState(output, options.staging, warn) : undefined;
    const entries = await collectLayers(listings, scan, { options, previous, warn });
    const shown = limitWarnings(warnings);
    return { entries, config: toPatch(config), annotations, warnings: shown, state };
  } catch (error) {
    throw explainSystem(error);
  } finally {
    for (const directory of opened) closeDirectory(directory);
    await options.early?.drop();
  }
}

/** Nothing can be put in the place of a directory that lies in one of ours; where something was, nothing is read. */
function assertNotReplaced(output: OutputDirectory, { identity }: CollectOptions): void {
  if (identity === undefined || isDirectory(output, identity)) return;
  const hint = "find out what replaces directories of a running build";
  throw refuse("output-changed", "the directory was replaced during the build", {
    file: "output",
    hint,
  });
}

/** A null in Labels removes a label, which the type of a config has no word for. */
function toPatch(config: OutputConfig | undefined): CollectedOutput["config"] {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as said above
  return config as CollectedOutput["config"];
}

function countLayers(listings: readonly Listing[], { baseLayers }: CollectOptions): number {
  return baseLayers + listings.filter(({ kind }) => kind !== "empty").length;
}

function assertCount(listings: readonly Listing[], options: CollectOptions): void {
  assertLayerLimit(countLayers(listings, options), options, {
    file: "output",
    below: "--from",
    hint: "put several packages into one layer (layer split --max N), or raise --max-layers",
  });
}
