import { create } from "@bufbuild/protobuf";
import type { Bridge } from "./gateway/connect.ts";
import { type Result, ResultSchema } from "./gateway/messages/gateway_pb.ts";
import { type CacheImport, solveResult } from "./gateway/solve.ts";
import type { StageImage } from "./stage-image.ts";

/** The image of a platform. */
export interface PlatformImage extends StageImage {
  /** `os/arch[/variant]` */
  readonly platform: string;
}

export interface ReturnOptions {
  readonly bridge: Bridge;
  /** Whether a list of images is asked for, of one platform, too. */
  readonly isList: boolean;
  readonly caches: readonly CacheImport[];
}

/** What BuildKit is told of images: it makes them now. BuildKit, `exporter/containerimage/exptypes` */
export async function returnImages(
  images: readonly PlatformImage[],
  { bridge, isList, caches }: ReturnOptions,
): Promise<Result> {
  const refs = await Promise.all(
    images.map(async ({ state, platform }) => {
      const { result } = await solveResult(bridge, state, { caches });
      return [platform, result.case === "ref" ? result.value : undefined] as const;
    }),
  );
  const metadata = Object.fromEntries([
    ...images.flatMap((image) => describeImage(image, isList)),
    ["refs.platforms", encode({ Platforms: images.map(describePlatform) })] as const,
  ]);
  const [first] = refs;
  const found = refs.flatMap(([platform, ref]) =>
    ref === undefined ? [] : [[platform, ref] as const],
  );
  if (isList)
    return create(ResultSchema, {
      result: { case: "refs", value: { refs: Object.fromEntries(found) } },
      metadata,
    });
  const ref = first?.[1];
  return create(ResultSchema, {
    ...(ref === undefined ? {} : { result: { case: "ref", value: ref } }),
    metadata,
  });
}

/**
 * What of the image has been there before, from the lowest layer on: its times are nobody's to change. BuildKit,
 * `exporter/containerimage/writer.go`, `rewriteRemoteWithEpoch`
 */
function describeBase({ image: { config }, sources }: PlatformImage): Uint8Array {
  const found = sources.findIndex(({ kind }) => kind !== "image");
  const count = found < 0 ? sources.length : found;
  let left = count;
  const history = (config.history ?? []).filter((one) => {
    if (one.empty_layer !== true) left -= 1;
    return left >= 0;
  });
  const { architecture, os, rootfs } = config;
  const diffIds = rootfs.diff_ids.slice(0, count);
  return encode({ architecture, os, rootfs: { type: "layers", diff_ids: diffIds }, history });
}

function describeImage(
  made: PlatformImage,
  isList: boolean,
): readonly (readonly [string, Uint8Array])[] {
  const { image, platform } = made;
  const suffix = isList ? `/${platform}` : "";
  const place = isList ? `[${platform}]` : "";
  const annotations = Object.entries(image.manifest.annotations ?? {}).filter(
    ([key]) => !/\s/.test(key),
  );
  return [
    [`containerimage.config${suffix}`, image.configBytes],
    [`containerimage.base.config${suffix}`, describeBase(made)],
    ...annotations.map(
      ([key, value]) => [`annotation-manifest${place}.${key}`, Buffer.from(value)] as const,
    ),
  ];
}

function describePlatform({ platform, image: { config } }: PlatformImage): object {
  const { architecture, os, variant } = config;
  return {
    ID: platform,
    Platform: { architecture, os, ...(variant === undefined ? {} : { variant }) },
  };
}

function encode(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
