import { create } from "@bufbuild/protobuf";
import type { Bridge } from "./gateway/connect.ts";
import { type Result, ResultSchema, SolveRequestSchema } from "./gateway/messages/gateway_pb.ts";
import type { CacheImport } from "./gateway/solve.ts";
import { writeState } from "./llb/state.ts";
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
      const request = create(SolveRequestSchema, {
        definition: writeState(state),
        cacheImports: caches.map(({ type, attrs }) => ({ type, attrs: { ...attrs } })),
        allowResultReturn: true,
        allowResultArrayRef: true,
      });
      const { result } = await bridge.solve(request);
      return [platform, result?.result.case === "ref" ? result.result.value : undefined] as const;
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

function describeImage(
  { image, platform }: PlatformImage,
  isList: boolean,
): readonly (readonly [string, Uint8Array])[] {
  const suffix = isList ? `/${platform}` : "";
  const place = isList ? `[${platform}]` : "";
  const annotations = Object.entries(image.manifest.annotations ?? {});
  return [
    [`containerimage.config${suffix}`, image.configBytes],
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
