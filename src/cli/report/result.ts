import type { BuildResult, ResultLayer, StageResult } from "../../pipeline/pipeline.ts";
import type { CliIo } from "../io.ts";
import type { ShownLayers } from "../request/report-request.ts";
import { renderSize, sumSizes } from "../../units.ts";
import { joinVisible, paintText, show, type Visible } from "../../visible.ts";
import { sumSame } from "./change-rows.ts";
import { renderChanges } from "./changes.ts";
import { renderPrevious } from "./previous.ts";
import { countLayers, renderDuration } from "./text.ts";

export interface ResultOptions {
  readonly quiet: boolean;
  readonly milliseconds: number;
  /** Which layers are listed. */
  readonly layers: ShownLayers;
  /** Whether --cache-from names previous images. */
  readonly isNamed: boolean;
}

/** Tells the user what came of it; the image ID comes last. */
export function reportResult(result: BuildResult, io: CliIo, options: ResultOptions): void {
  if (!options.quiet) io.stdout(renderResult(result, io, options));
  io.stdout(show`${result.configDigest.replace(/^sha256:/, "")}\n`);
}

/** What came of a build: a table of its layers, then names, counts, what it was compared with, and its digest. */
export function renderResult(result: BuildResult, io: CliIo, options: ResultOptions): Visible {
  const title = result.names.length === 0 ? result.digest : result.names.join(", ");
  const time = paintText(io, "dim", `(${renderDuration(options.milliseconds)})`);
  const rest = show`${renderElsewhere(result.layers)}  ${result.digest}\n`;
  const listed = renderChanges(result, options.layers, io);
  const table = listed.visible === "" ? listed : show`\n${listed}\n`;
  if (result.upToDate) {
    return show`${table}${paintText(io, "green", "Up to date")}: ${title}, ${countLayers(result.layers.length)} ${time}\n${rest}`;
  }
  return joinVisible([
    listed.visible === "" ? show`\n` : table,
    show`${paintText(io, "bold", title)}: ${summarise(result)} ${time}\n`,
    renderDetails(result, io, options),
    rest,
  ]);
}

/** One of several images, in a line: what became of it, and its digest. */
export function renderImage(result: BuildResult, io: CliIo): Visible {
  const { upToDate, layers, digest } = result;
  const state = upToDate
    ? show`${paintText(io, "green", "up to date")}, ${countLayers(layers.length)}`
    : show`${summarise(result)}`;
  const elsewhere = layers.filter((one) => !one.verified).length;
  const note = elsewhere === 0 ? show`` : show`, ${String(elsewhere)} elsewhere and not verified`;
  return show`${state}${note}  ${digest}`;
}

/** What the layers of an image that was made are compared with, and what stands behind them. */
export function renderDetails(
  { comparison, stages = [] }: BuildResult,
  io: CliIo,
  options: ResultOptions,
): Visible {
  const told = stages.map(renderStage);
  if (comparison === undefined) return joinVisible(told);
  const { shared } = comparison;
  const note =
    shared.layers === 0
      ? show``
      : show`  shared:   ${shared.packages} packages in ${countLayers(shared.layers)}\n`;
  return joinVisible([renderPrevious(comparison, options, io), note, ...told]);
}

function renderStage({ name, upToDate, newLayers }: StageResult): Visible {
  const state = upToDate ? "up to date" : countLayers(newLayers, "new");
  return show`  stage ${name}: ${state}\n`;
}

/** `127 layers, 48.3 MB: 1 changed, 2 new, 1 removed, 123 kept`. */
export function summarise({ layers, comparison }: BuildResult): string {
  const all = `${countLayers(layers.length)}, ${renderSize(sumSizes(layers))}`;
  if (comparison === undefined) return all;
  const { changed, new: fresh, removed, previous } = comparison;
  const counts = [
    [changed.length, "changed"],
    [fresh.length, "new"],
    [removed.length, "removed"],
    [sumSame(comparison).layers, previous === undefined ? "base" : "kept"],
  ] as const;
  const told = counts.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  return `${all}: ${told.join(", ")}`;
}

/** What is kept by reference is its registry's word until its bytes are here. */
function renderElsewhere(layers: readonly ResultLayer[]): Visible {
  const count = layers.filter((one) => !one.verified).length;
  if (count === 0) return show``;
  const verb = count === 1 ? "is" : "are";
  return show`  ${count} of the kept layers ${verb} elsewhere: what is in ${count === 1 ? "it" : "them"} was not verified\n`;
}
