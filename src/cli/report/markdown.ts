import { renderPlatform } from "../../oci/oci.ts";
import type { BuildResult, Comparison } from "../../pipeline/pipeline.ts";
import { limitText } from "../../text.ts";
import { renderSize } from "../../units.ts";
import { showText } from "../../visible.ts";
import { type ChangeRow, describeSame, listAll, listChanges, sumSame } from "./change-rows.ts";
import { describeOrigin } from "./previous.ts";
import { listImages, type Result } from "./report-document.ts";
import { summarise } from "./made-result.ts";
import { countLayers } from "./text.ts";

/** Of each kind so many layers are in the table, and so many are folded. */
const mostRows = 50;
const mostFolded = 500;
const longestName = 200;

/**
 * What came of a build in Markdown, for the summary of a CI job and for release notes: GitHub's and GitLab's, and
 * CommonMark with tables. What others named stands in code spans, where no link, mention or HTML is one.
 */
export function renderMarkdown(result: Result): string {
  const { names, digest } = result;
  const title = names.length === 0 ? code(digest) : names.map(code).join(", ");
  const images = listImages(result);
  const parts = images.flatMap(images.length > 1 ? renderPlatformImage : renderImage);
  return `${[`### ${title}`, ...parts, `Digest: ${code(digest)}`].join("\n\n")}\n`;
}

/** Reports of several targets, each with its name. */
export function joinMarkdown(reports: readonly (readonly [name: string, text: string])[]): string {
  return reports.map(([name, text]) => `## ${code(name)}\n\n${text}`).join("\n");
}

/**
 * A foreign text as a code span, in a table, too: on one line, without the two signs that could end the span or the
 * cell, which stand as `\x60` and `\x7c`. GFM 0.29, sections 4.10 and 6.3.
 */
function code(text: string): string {
  const shown = showText(limitText(text, longestName))
    .replaceAll("`", "\\x60")
    .replaceAll("|", "\\x7c");
  return shown.trim() === "" ? "(no name)" : `\`${shown}\``;
}

function renderPlatformImage(image: BuildResult): readonly string[] {
  return [`#### ${code(renderPlatform(image.platform))}`, ...renderImage(image)];
}

function renderImage(image: BuildResult): readonly string[] {
  const { comparison, layers, upToDate } = image;
  if (upToDate) return [`Up to date: ${countLayers(layers.length)}.`];
  if (comparison === undefined) return [`${summarise(image)}.`];
  const tables = listChanges(comparison, mostRows);
  const rows = tables.flatMap(({ rows: some }) => some);
  const more = tables.flatMap(({ rows: [first], more: { layers: count, size } }) =>
    first === undefined || count === 0
      ? []
      : [`And ${count} more ${first.status} (${renderSize(size)}).`],
  );
  return [
    `${summarise(image)}. ${renderDownload(comparison)}`,
    ...(rows.length === 0 ? [] : [renderTable(rows)]),
    ...more,
    ...renderFolded(image, comparison),
  ];
}

function renderDownload({ previous, download }: Comparison): string {
  const size = `**${renderSize(download)}**`;
  if (previous === undefined) return `Download: ${size}; there was no previous image.`;
  const name = `${code(previous.reference)} (${describeOrigin(previous.origin)})`;
  return `Download: ${size} for whoever has the previous image, ${name}.`;
}

function renderTable(rows: readonly ChangeRow[]): string {
  const lines = rows.map(({ status, name, size, replaces, notes }) => {
    const names = [code(name), ...notes.map(code)].join("<br>");
    return `| ${status} | ${names} | ${renderSize(size)} | ${replaces === undefined ? "" : code(replaces)} |`;
  });
  return ["| | Layer | Size | Replaces |", "|---|---|---:|---|", ...lines].join("\n");
}

function renderFolded({ layers }: BuildResult, comparison: Comparison): readonly string[] {
  const { layers: count, size } = sumSame(comparison);
  if (count === 0) return [];
  const same = listAll(layers, comparison).filter(
    ({ status }) => status === "kept" || status === "equal" || status === "base",
  );
  const title = `${countLayers(count)} as before (${renderSize(size)}): ${describeSame(comparison)}`;
  const lines = same
    .slice(0, mostFolded)
    .map(({ status, name, size: bytes }) => `| ${status} | ${code(name)} | ${renderSize(bytes)} |`);
  const rest = same.length - lines.length;
  return [
    `<details><summary>${title}</summary>`,
    ["| | Layer | Size |", "|---|---|---:|", ...lines].join("\n"),
    ...(rest > 0 ? [`And ${rest} more.`] : []),
    "</details>",
  ];
}
