import type { BuildResult, StageResult } from "../../pipeline/pipeline.ts";
import type { CliIo } from "../io.ts";
import { renderSize, sumSizes } from "../../units.ts";
import { joinVisible, paintText, show, type Visible } from "../../visible.ts";
import { sumSame } from "./change-rows.ts";
import { renderChanges } from "./changes.ts";
import { renderPrevious } from "./previous.ts";
import { renderElsewhere, renderUpToDate, type ResultOptions } from "./result.ts";
import { countLayers, renderDuration } from "./text.ts";

// What is told where something was made, or all layers are to be listed: a build with nothing to do loads none of it.

/** What came of a build: a table of its layers, then names, counts, what it was compared with, and its digest. */
export function renderResult(result: BuildResult, io: CliIo, options: ResultOptions): Visible {
  const listed = renderChanges(result, options.layers, io);
  const table = listed.visible === "" ? listed : show`\n${listed}\n`;
  if (result.upToDate) return joinVisible([table, renderUpToDate(result, io, options)]);
  const title = result.names.length === 0 ? result.digest : result.names.join(", ");
  const time = paintText(io, "dim", `(${renderDuration(options.milliseconds)})`);
  return joinVisible([
    listed.visible === "" ? show`\n` : table,
    show`${paintText(io, "bold", title)}: ${summarise(result)} ${time}\n`,
    renderDetails(result, io, options),
    renderElsewhere(result.layers),
    show`  ${result.digest}\n`,
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
