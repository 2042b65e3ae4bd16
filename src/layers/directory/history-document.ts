import { ownAnnotationPrefix, type Annotations, type Digest } from "../../oci/oci.ts";
import { quoteShell } from "../../text.ts";
import type { LayersInput, PreviousImages } from "../model.ts";
import {
  listPreviousEntries,
  type PreviousEntry,
  type PreviousLayer,
} from "../collect/previous.ts";

/** Whether a layer's blob is laid out for the build. */
export type HasBlob = (digest: Digest) => boolean;

/** `history.json`: what the previous images are made of. */
export function renderHistory(
  previous: PreviousImages,
  { maxLayers, baseLayers }: Pick<LayersInput, "maxLayers" | "baseLayers">,
  hasBlob: HasBlob,
): string {
  const [first, ...others] = previous.map((image) => ({
    image: image.reference,
    history: listPreviousEntries(image).map((entry) =>
      image.isByDiffId === true ? renderUndigested(entry) : renderEntry(entry, hasBlob),
    ),
  }));
  const document = {
    schemaVersion: 1,
    maxLayers,
    baseLayers,
    ...(first === undefined ? {} : { image: first.image }),
    history: first?.history ?? [],
    others,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function renderEntry({ entry, layer }: PreviousEntry, hasBlob: HasBlob): object {
  if (layer === undefined) return { ...entry, empty_layer: true };
  const { descriptor, diffId } = layer;
  return {
    ...entry,
    created_by: layer.name,
    digest: descriptor.digest,
    diff_id: diffId,
    mediaType: descriptor.mediaType,
    size: descriptor.size,
    blob: hasBlob(descriptor.digest),
    annotations: listForeign(descriptor.annotations ?? {}),
  };
}

function renderUndigested({ entry, layer }: PreviousEntry): object {
  if (layer === undefined) return { ...entry, empty_layer: true };
  return { ...entry, created_by: layer.name, diff_id: layer.diffId, blob: false };
}

/** Ours stay with the layer whatever the build says, and a build must not write them. */
function listForeign(annotations: Annotations): Annotations {
  return Object.fromEntries(
    Object.entries(annotations).filter(([key]) => !key.startsWith(ownAnnotationPrefix)),
  );
}

/**
 * `names`: a line a layer, `digest TAB diff_id TAB blob TAB name`. The last line of a name is the one that
 * counts, so the images that count least come first.
 */
export function renderNames(previous: PreviousImages, hasBlob: HasBlob): string {
  return previous
    .toReversed()
    .flatMap(listLayers)
    .map(({ name, diffId, descriptor: { digest } }) => {
      return `${digest}\t${diffId}\t${hasBlob(digest) ? 1 : 0}\t${escapeName(name)}\n`;
    })
    .join("");
}

/** Of an image, from the bottom. */
function listLayers(image: PreviousImages[number]): readonly PreviousLayer[] {
  return listPreviousEntries(image).flatMap(({ layer }) => layer ?? []);
}

/**
 * `bin/last`: which lines of `names` are the layers of the image that `input/state` was left with: the first one's number,
 * and how many; `0 0` where it is no previous image.
 */
export function renderLast(previous: PreviousImages, image: Digest | undefined): string {
  let first = 1;
  for (const one of previous.toReversed()) {
    const count = listLayers(one).length;
    if (one.image.digest === image) return `${first} ${count}\n`;
    first += count;
  }
  return "0 0\n";
}

/**
 * `bin/names.sh`: what `names` says of names in plain ASCII, as a shell reads it at once, for the helper alone. Sets
 * `digest` for the name `$1`, else `unlisted`, whether there are others, which stand in `names` alone.
 */
export function renderNamesScript(previous: PreviousImages): string {
  const layers = previous.toReversed().flatMap(listLayers);
  return renderCases(layers.map(({ name, descriptor }) => [name, descriptor.digest]));
}

/** The same of names and digests; the last of a name counts. */
export function renderCases(layers: Iterable<readonly [string, string]>): string {
  const digests = new Map(layers);
  const plain = [...digests].filter(([name]) => /^[ -~]*$/.test(name));
  const cases = plain.map(([name, digest]) => `${quoteShell(name)}) digest=${digest} ;;`);
  const unlisted = plain.length < digests.size ? "yes" : "";
  return ["case $1 in", ...cases, `*) unlisted=${unlisted} ;;`, "esac", ""].join("\n");
}

/** As it stands in a file of lines with tabs between their parts. */
export function escapeName(name: string): string {
  const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\t": "\\t" };
  return name.replaceAll(/[\\\n\t]/g, (character) => escapes[character] ?? character);
}
