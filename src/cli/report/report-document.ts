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
  const images = listImages(result).map((image) => omit(image, ["names"]));
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
    const platforms = result.platforms.map((image) => omit(image, ["names", ...inDescriptor]));
    const { upToDate } = result;
    const keys = { "containerimage.descriptor": descriptor, ...common };
    return { ...keys, names, digest, upToDate, platforms };
  }
  const { platform, configDigest } = result;
  return {
    "containerimage.config.digest": configDigest,
    "containerimage.descriptor": { ...descriptor, platform },
    ...common,
    ...omit(result, inDescriptor),
  };
}

const inDescriptor = ["mediaType", "size"];

function omit(result: object, keys: readonly string[]): object {
  return Object.fromEntries(Object.entries(result).filter(([key]) => !keys.includes(key)));
}
