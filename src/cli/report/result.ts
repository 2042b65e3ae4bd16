import type { BuildResult, ResultLayer } from "../../pipeline/pipeline.ts";
import type { CliIo } from "../io.ts";
import type { ShownLayers } from "../request/report-request.ts";
import { paintText, show, type Visible } from "../../visible.ts";
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
export async function reportResult(
  result: BuildResult,
  io: CliIo,
  options: ResultOptions,
): Promise<void> {
  if (!options.quiet) {
    const isLine = result.upToDate && options.layers !== "all";
    const render = isLine ? renderUpToDate : (await import("./made-result.ts")).renderResult;
    io.stdout(render(result, io, options));
  }
  io.stdout(show`${result.configDigest.replace(/^sha256:/, "")}\n`);
}

export function renderUpToDate(result: BuildResult, io: CliIo, options: ResultOptions): Visible {
  const { names, digest, layers } = result;
  const title = names.length === 0 ? digest : names.join(", ");
  const time = paintText(io, "dim", `(${renderDuration(options.milliseconds)})`);
  const count = countLayers(layers.length);
  return show`${paintText(io, "green", "Up to date")}: ${title}, ${count} ${time}\n${renderElsewhere(layers)}  ${digest}\n`;
}

/** What is kept by reference is its registry's word until its bytes are here. */
export function renderElsewhere(layers: readonly ResultLayer[]): Visible {
  const count = layers.filter((one) => !one.verified).length;
  if (count === 0) return show``;
  const verb = count === 1 ? "is" : "are";
  return show`  ${count} of the kept layers ${verb} elsewhere: what is in ${count === 1 ? "it" : "them"} was not verified\n`;
}
