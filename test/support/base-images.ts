import { createPathsBuilder, type LayerPaths } from "../../src/archive/overlap/layer-paths.ts";
import { readName } from "../../src/archive/overlap/names.ts";
import type { Digest, HistoryEntry } from "../../src/oci/model.ts";
import { findHidden, type HiddenPath } from "../../src/pipeline/base-hides.ts";
import { standOnce } from "../../src/pipeline/base-order.ts";
import type { BaseImage } from "../../src/pipeline/bases.ts";

// Images of OUTPUT's --from whose layers are only names, and what these say of paths.

export type Base = Pick<BaseImage, "image">;

/** Names of layers stand for them; a word with `#` is a history entry without a layer. */
export function makeBase(words: readonly string[]): Base {
  const names = words.filter((word) => !word.startsWith("#"));
  const history = words.map((word): HistoryEntry => ({
    created_by: word,
    ...(word.startsWith("#") && { empty_layer: true }),
  }));
  const blob = { mediaType: "application/vnd.oci.image.layer.v1.tar", size: 1 };
  const layers = names.map((name) => ({ ...blob, digest: digestOf(`blob ${name}`) }));
  const rootfs = { type: "layers", diff_ids: names.map(digestOf) } as const;
  const manifest = { schemaVersion: 2 as const, mediaType: "", layers };
  const config = { architecture: "amd64", os: "linux", rootfs, history };
  return {
    image: { manifest: { ...manifest, config: { ...blob, digest: digestOf("") } }, config },
  };
}

export function digestOf(name: string): Digest {
  return `sha256:${Buffer.from(name).toString("hex").padEnd(64, "0")}`;
}

/** `a`: the file a, with a content; `d/`: a directory, with a mode; `.wh.a` and `d/.wh..wh..opq` as in archives. */
export type Files = Readonly<Record<string, string>>;

export function makePaths(files: Files): LayerPaths {
  const { take, paths } = createPathsBuilder("layer");
  for (const [key, value] of Object.entries(files)) {
    const name = readName(key.endsWith("/") ? key.slice(0, -1) : key);
    const state = key.endsWith("/") ? `d${value}` : `f${value}`;
    take(name.kind === "entry" ? { ...name, state } : name);
  }
  return paths;
}

export function makeKnown(
  layers: Readonly<Record<string, Files>>,
): ReadonlyMap<Digest, LayerPaths> {
  return new Map(
    Object.entries(layers).map(([name, files]) => [digestOf(name), makePaths(files)] as const),
  );
}

/** `b x, b y` are two images. */
export function makeBases(text: string): readonly Base[] {
  return text.split(", ").map((words) => makeBase(words.split(" ")));
}

export function listHidden(
  bases: readonly Base[],
  known: ReadonlyMap<Digest, LayerPaths>,
): readonly HiddenPath[] {
  const placed = standOnce(bases);
  const standing = {
    bases: bases.map(({ image }) => image.config.rootfs.diff_ids),
    placed: placed.flatMap(({ base, entry }) =>
      entry.kind === "layer" ? [{ base, diffId: entry.layer.diffId }] : [],
    ),
  };
  return findHidden(standing, known);
}
