import type { BuildResult, IndexResult } from "../../pipeline/pipeline.ts";

/** What a build tells of: an image, or the index of those of several platforms. */
export type Result = BuildResult | IndexResult;

/** The images that a result is about: one for each platform. */
export function listImages(result: Result): readonly BuildResult[] {
  return "platforms" in result ? result.platforms : [result];
}

/** What `--report json:FILE` writes; `docs/schemas/report.schema.json` describes it. */
export function describeReport(result: Result): object {
  const { names, digest, upToDate } = result;
  const images = listImages(result).map(({ names: _, ...image }) => image);
  return { schemaVersion: 1, names, digest, upToDate, images };
}

/** What `--metadata-file` writes: buildx's keys, and ours. */
export function describeMetadata(result: Result): object {
  const { names, digest, mediaType, size } = result;
  const descriptor = { mediaType, digest, size };
  const common = {
    "containerimage.digest": digest,
    ...(names.length === 0 ? {} : { "image.name": names.join(",") }),
  };
  if ("platforms" in result) {
    const platforms = result.platforms.map(({ names: _, ...image }) => omitManifest(image));
    const { upToDate } = result;
    const keys = { "containerimage.descriptor": descriptor, ...common };
    return { ...keys, names, digest, upToDate, platforms };
  }
  const { platform, configDigest } = result;
  return {
    "containerimage.config.digest": configDigest,
    "containerimage.descriptor": { ...descriptor, platform },
    ...common,
    ...omitManifest(result),
  };
}

/** What of it is in the descriptor. */
function omitManifest({ mediaType: _, size: __, ...rest }: Omit<BuildResult, "names">): object {
  return rest;
}
