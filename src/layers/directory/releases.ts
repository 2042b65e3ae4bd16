import { type Digest, type Image, listHistory, readCreated } from "../../oci/oci.ts";
import { escapeName } from "./history-document.ts";

/** An earlier image of which no more is wanted than what its layers are called: `--history`. */
export interface Release {
  /** As the user named it, or as it was found. */
  readonly reference: string;
  /** Of the manifest; of the index, where nobody tells that of the manifest. */
  readonly digest: Digest;
  /** Milliseconds since 1970; undefined for one that does not say it. */
  readonly created: number | undefined;
  /** The lowest first. */
  readonly layers: readonly ReleaseLayer[];
}

export interface ReleaseLayer {
  readonly diffId: Digest;
  /** Its `created_by`. */
  readonly name: string;
}

/** More earlier images than these say nothing new of how often a package changes. */
export const maxReleases = 100;

/** Bytes of `bin/history`: each is read by awk, once for each `layer split`. */
const maxText = 4 * 1024 * 1024;

export function describeRelease(image: Image, reference: string): Release {
  const layers = listHistory(image).flatMap(({ entry, layer }) =>
    layer === undefined ? [] : [{ diffId: layer.diffId, name: entry.created_by ?? "" }],
  );
  return { reference, digest: image.digest, created: readCreated(image.config), layers };
}

/** Those that a build is told of, and how many are left out. */
export interface TakenReleases {
  /** The oldest first. */
  readonly releases: readonly Release[];
  readonly left: number;
}

/**
 * The newest, as many as may be, one for each digest. What has no date counts as older than all that have one, in the
 * order given. One whose names are too long for what is left of the file's length is left out.
 */
export function takeReleases(given: readonly Release[]): TakenReleases {
  const single = [...new Map(given.toReversed().map((one) => [one.digest, one])).values()];
  const ordered = single.toReversed().sort((a, b) => (a.created ?? 0) - (b.created ?? 0));
  const taken: Release[] = [];
  let size = 0;
  for (const one of ordered.toReversed()) {
    const length = Buffer.byteLength(renderRelease(one));
    if (taken.length === maxReleases || size + length > maxText) continue;
    size += length;
    taken.push(one);
  }
  return { releases: taken.toReversed(), left: ordered.length - taken.length };
}

/**
 * `bin/history`: `release TAB seconds since 1970, or - TAB manifest digest TAB reference`, below it a line for each of its layers,
 * `layer TAB diff ID TAB name`, the oldest release first. Names and references are escaped as in `names`.
 */
export function renderReleases(releases: readonly Release[]): string {
  return releases.map(renderRelease).join("");
}

function renderRelease({ created, digest, reference, layers }: Release): string {
  const seconds = created === undefined ? "-" : String(Math.floor(created / 1000));
  const head = `release\t${seconds}\t${digest}\t${escapeName(reference)}\n`;
  return (
    head + layers.map(({ diffId, name }) => `layer\t${diffId}\t${escapeName(name)}\n`).join("")
  );
}
