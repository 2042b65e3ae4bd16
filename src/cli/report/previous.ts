import type { Comparison } from "../../pipeline/pipeline.ts";
import { renderSize } from "../../units.ts";
import { joinVisible, show, type Visible } from "../../visible.ts";
import type { CliIo } from "../io.ts";
import { cutText } from "./cut.ts";

type Origin = NonNullable<Comparison["previous"]>["origin"];

/** Why an image is the previous one. */
const origins: Readonly<Record<Origin, string>> = {
  named: "--cache-from",
  store: "the tag, in the store",
  pushed: "the tag, in the registry",
  last: "the last build of this file",
  tags: "--cache-tags",
};

export function describeOrigin(origin: Origin): string {
  return origins[origin];
}

/** Which image the layers are compared with, and what whoever has it downloads. */
export function renderPrevious(
  { previous, download }: Comparison,
  { isNamed }: { readonly isNamed: boolean },
  io: CliIo,
): Visible {
  const size = renderSize(download);
  if (previous === undefined) {
    const hint = isNamed
      ? "nothing that --cache-from names is there yet"
      : "--cache-from IMAGE names one whose layers may be kept";
    return show`  previous: none; ${hint}\n  download: ${size}\n`;
  }
  const why = ` (${describeOrigin(previous.origin)})`;
  const width = io.terminal ? io.columns?.() : undefined;
  const before = "  previous: ";
  const { reference } = previous;
  // Its beginning tells a digest from others; all of it is in files and pipes.
  const short = reference.replace(/(@sha256:[0-9a-f]{12})[0-9a-f]{52}$/, "$1…");
  const name = width === undefined ? reference : cutText(short, width - before.length - why.length);
  return joinVisible([
    show`${before}${name}${why}\n`,
    show`  download: ${size} for whoever has the previous image\n`,
  ]);
}
