import type { BuildResult, IndexResult } from "../../pipeline/pipeline.ts";
import { renderPlatform } from "../../oci/oci.ts";
import { joinVisible, paintText, show, type Visible } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { renderChanges } from "./changes.ts";
import { renderDetails, renderImage } from "./made-result.ts";
import type { ResultOptions } from "./result.ts";
import { renderDuration } from "./text.ts";

/** Tells the user what came of a build for several platforms; the index's digest comes last. */
export function reportIndex(result: IndexResult, io: CliIo, options: ResultOptions): void {
  if (!options.quiet) io.stdout(renderIndex(result, io, options));
  io.stdout(show`${result.digest}\n`);
}

/** The layers of what was built, a line for each platform, names and digest. */
function renderIndex(result: IndexResult, io: CliIo, options: ResultOptions): Visible {
  const { names, digest, platforms } = result;
  const title = names.length === 0 ? digest : names.join(", ");
  const time = paintText(io, "dim", `(${renderDuration(options.milliseconds)})`);
  const count = `index of ${platforms.length} platforms`;
  const head = result.upToDate
    ? show`${paintText(io, "green", "Up to date")}: ${title}, ${count} ${time}\n`
    : show`${paintText(io, "bold", title)}: ${count} ${time}\n`;
  const built = platforms.filter((one) => !one.upToDate);
  const tables = built.map(
    (one) =>
      show`\n${paintText(io, "bold", namePlatform(one))}\n${renderChanges(one, options.layers, io)}${renderDetails(one, io, options)}`,
  );
  const gap = built.length === 0 ? show`` : show`\n`;
  const lines = platforms.map((one) => renderPlatformLine(one, io));
  return joinVisible([...tables, gap, head, ...lines, show`  ${digest}\n`]);
}

function renderPlatformLine(result: BuildResult, io: CliIo): Visible {
  return show`  ${namePlatform(result)}: ${renderImage(result, io)}\n`;
}

function namePlatform({ platform }: BuildResult): string {
  return renderPlatform(platform);
}
