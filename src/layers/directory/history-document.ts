import { ownAnnotationPrefix, type Annotations, type Digest } from "../../oci/oci.ts";
import type { PreviousImages } from "../model.ts";
import { listPreviousEntries, type PreviousEntry } from "../collect/previous.ts";

/** Whether a layer's blob is laid out for the build. */
export type HasBlob = (digest: Digest) => boolean;

/** `history.json`: what the previous images are made of. */
export function renderHistory(
  previous: PreviousImages,
  maxLayers: number,
  hasBlob: HasBlob,
): string {
  const [first, ...others] = previous.map((image) => ({
    image: image.reference,
    history: listPreviousEntries(image).map((entry) => renderEntry(entry, hasBlob)),
  }));
  const document = {
    schemaVersion: 1,
    maxLayers,
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
    .flatMap((image) => listPreviousEntries(image))
    .map(({ layer }) => {
      if (layer === undefined) return "";
      const { digest } = layer.descriptor;
      return `${digest}\t${layer.diffId}\t${hasBlob(digest) ? 1 : 0}\t${escapeName(layer.name)}\n`;
    })
    .join("");
}

function escapeName(name: string): string {
  const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\n": "\\n", "\t": "\\t" };
  return name.replaceAll(/[\\\n\t]/g, (character) => escapes[character] ?? character);
}
