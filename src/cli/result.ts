import { rename, rm, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import type { BuildResult, ResultLayer } from "../build/request.ts";
import type { LayerStatus } from "../layers/model.ts";
import type { CliIo } from "./io.ts";
import { renderSize } from "../build/sizes.ts";
import { joinVisible, show, type Visible } from "../visible.ts";
import { paint, renderDuration } from "./text.ts";

export interface ResultOptions {
  readonly quiet: boolean;
  readonly iidFile: string | undefined;
  readonly metadataFile: string | undefined;
  readonly milliseconds: number;
}

/** Writes the files that were asked for, and tells the user what came of it; the image ID comes last. */
export async function reportResult(
  result: BuildResult,
  io: CliIo,
  options: ResultOptions,
): Promise<void> {
  if (options.iidFile !== undefined) {
    await writeWhole(resolve(io.cwd, options.iidFile), result.configDigest);
  }
  if (options.metadataFile !== undefined) {
    await writeWhole(
      resolve(io.cwd, options.metadataFile),
      `${JSON.stringify(result, undefined, 2)}\n`,
    );
  }
  if (!options.quiet) io.stdout(renderResult(result, io, options.milliseconds));
  io.stdout(show`${result.configDigest.replace(/^sha256:/, "")}\n`);
}

async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}.xbuild-${process.pid}`;
  try {
    await writeFile(unfinished, text);
    await rename(unfinished, path);
  } finally {
    await rm(unfinished, { force: true });
  }
}

/** What came of a build: its layers in a table, and names, counts, digest. */
export function renderResult(result: BuildResult, io: CliIo, milliseconds: number): Visible {
  const title = result.names.length === 0 ? result.digest : result.names.join(", ");
  const time = paint(io, "dim", `(${renderDuration(milliseconds)})`);
  if (result.upToDate) {
    return show`${paint(io, "green", "Up to date")}: ${title}, ${countLayers(result.layers)} ${time}\n  ${result.digest}\n`;
  }
  return show`\n${renderTable(result.layers, io)}\n${paint(io, "bold", title)}: ${summarise(result.layers)} ${time}\n  ${result.digest}\n`;
}

const colors = { base: "dim", kept: "green", equal: "green", new: "yellow" } as const;

function renderTable(layers: readonly ResultLayer[], io: CliIo): Visible {
  const sizes = layers.map((one) => renderSize(one.size));
  const width = Math.max(4, ...sizes.map((one) => one.length));
  const head = paint(io, "bold", `STATUS  ${"SIZE".padStart(width)}  LAYER`);
  const rows = layers.map((one, index) => {
    const status = paint(io, colors[one.status], one.status.padEnd(6));
    return show`${status}  ${(sizes[index] ?? "").padStart(width)}  ${one.name}`;
  });
  return joinVisible([head, ...rows, ""], "\n");
}

function summarise(layers: readonly ResultLayer[]): string {
  const total = (statuses: readonly LayerStatus[]): string => {
    const chosen = layers.filter((one) => statuses.includes(one.status));
    return `${chosen.length} (${renderSize(chosen.reduce((sum, one) => sum + one.size, 0))})`;
  };
  return `${countLayers(layers)}, kept ${total(["base", "kept", "equal"])}, new ${total(["new"])}`;
}

function countLayers(layers: readonly ResultLayer[]): string {
  return layers.length === 1 ? "1 layer" : `${layers.length} layers`;
}
