import type { BuildResult, ResultLayer } from "../../pipeline/pipeline.ts";
import type { LayerStatus } from "../../layers/layers.ts";
import type { CliIo } from "../io.ts";
import { renderSize } from "../../units.ts";
import { paintText, show, type Visible } from "../../visible.ts";
import { renderTable } from "./table.ts";
import { renderDuration } from "./text.ts";

export interface ResultOptions {
  readonly quiet: boolean;
  readonly milliseconds: number;
}

/** Tells the user what came of it; the image ID comes last. */
export function reportResult(result: BuildResult, io: CliIo, options: ResultOptions): void {
  if (!options.quiet) io.stdout(renderResult(result, io, options.milliseconds));
  io.stdout(show`${result.configDigest.replace(/^sha256:/, "")}\n`);
}

/** What came of a build: its layers in a table, and names, counts, digest. */
export function renderResult(result: BuildResult, io: CliIo, milliseconds: number): Visible {
  const title = result.names.length === 0 ? result.digest : result.names.join(", ");
  const time = paintText(io, "dim", `(${renderDuration(milliseconds)})`);
  if (result.upToDate) {
    return show`${paintText(io, "green", "Up to date")}: ${title}, ${countLayers(result.layers)} ${time}\n${renderElsewhere(result.layers)}  ${result.digest}\n`;
  }
  return show`\n${renderLayers(result.layers, io)}\n${paintText(io, "bold", title)}: ${summarise(result.layers)} ${time}\n${renderElsewhere(result.layers)}  ${result.digest}\n`;
}

/** One of several images, in a line: what became of it, and its digest. */
export function renderImage({ upToDate, layers, digest }: BuildResult, io: CliIo): Visible {
  const state = upToDate
    ? show`${paintText(io, "green", "up to date")}, ${countLayers(layers)}`
    : show`${summarise(layers)}`;
  const elsewhere = layers.filter((one) => !one.verified).length;
  const note = elsewhere === 0 ? show`` : show`, ${String(elsewhere)} elsewhere and not verified`;
  return show`${state}${note}  ${digest}`;
}

const colors = { base: "dim", kept: "green", equal: "green", new: "yellow" } as const;

/** A table of an image's layers, each with what became of it. */
export function renderLayers(layers: readonly ResultLayer[], io: CliIo): Visible {
  const columns = [{ title: "STATUS" }, { title: "SIZE", right: true }, { title: "LAYER" }];
  const rows = layers.map(({ status, size, name }) => [
    { text: status, style: colors[status] },
    renderSize(size),
    name,
  ]);
  return renderTable(io, columns, rows);
}

function summarise(layers: readonly ResultLayer[]): string {
  const total = (statuses: readonly LayerStatus[]): string => {
    const chosen = layers.filter((one) => statuses.includes(one.status));
    return `${chosen.length} (${renderSize(chosen.reduce((sum, one) => sum + one.size, 0))})`;
  };
  return `${countLayers(layers)}, kept ${total(["base", "kept", "equal"])}, new ${total(["new"])}`;
}

/** What is kept by reference is its registry's word until its bytes are here. */
function renderElsewhere(layers: readonly ResultLayer[]): Visible {
  const count = layers.filter((one) => !one.verified).length;
  if (count === 0) return show``;
  const verb = count === 1 ? "is" : "are";
  return show`  ${count} of the kept layers ${verb} elsewhere: what is in ${count === 1 ? "it" : "them"} was not verified\n`;
}

function countLayers(layers: readonly ResultLayer[]): string {
  return layers.length === 1 ? "1 layer" : `${layers.length} layers`;
}
