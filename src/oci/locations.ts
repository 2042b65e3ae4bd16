import type { Digest, Image } from "./model.ts";

/** Where layers are in a registry. */
export interface Location {
  /** `host[:port]/repository`. */
  readonly repository: string;
  /** A manifest there that lists them. */
  readonly manifest: Digest;
  readonly layers: readonly Digest[];
  /**
   * When each of them was last seen there by itself, because it was sent or asked after; milliseconds since 1970, that of
   * the one seen longest ago. undefined: by what the manifest says alone.
   */
  readonly checked?: number | undefined;
}

/** The files of layers on this machine. */
export type LayerFiles = ReadonlyMap<Digest, string>;

/**
 * What is known of an image's layers, one location a repository and manifest, each layer named once in a
 * repository: by the first location that has it. When they were seen counts from whichever location tells it.
 */
export function narrowLocations(locations: readonly Location[], image: Image): readonly Location[] {
  const wanted = new Set(image.manifest.layers.map((layer) => layer.digest));
  const seen = new Set<string>();
  const checks = new Map(
    locations.flatMap(({ repository, manifest, checked }) =>
      checked === undefined ? [] : [[`${repository} ${manifest}`, checked] as const],
    ),
  );
  return locations.flatMap(({ repository, manifest, layers }): readonly Location[] => {
    const own = layers.filter((digest) => {
      const isNew = wanted.has(digest) && !seen.has(`${repository} ${digest}`);
      if (isNew) seen.add(`${repository} ${digest}`);
      return isNew;
    });
    const checked = checks.get(`${repository} ${manifest}`);
    const known = checked === undefined ? {} : { checked };
    return own.length === 0 ? [] : [{ repository, manifest, layers: own, ...known }];
  });
}

/** That all layers of an image are in a repository under its own manifest. */
export function locateImage(image: Image, repository: string): Location {
  const layers = [...new Set(image.manifest.layers.map((layer) => layer.digest))];
  return { repository, manifest: image.digest, layers };
}
