import type { SplitRequest } from "./split-request.ts";

/** The images of a split as the engine and OUTPUT can name them. */
export interface SplitImages {
  readonly image: string;
  readonly tools: string | undefined;
  /** As steps mount it, and as it stands below: that has the digests of its layers. */
  readonly above: { readonly mounted: string; readonly below: string } | undefined;
}

/** Where the steps have the layers directory. */
const layers = "/layers";

/**
 * The Containerfile of a split: one stage whose layers are the packages', and one that has the image's own config above them.
 * What it mounts lies below the layers directory, so that no path of the image has to be there for it.
 */
export function renderSplitFile(
  { kind, maxBytes, map, plan }: Omit<SplitRequest, "image" | "above" | "tools">,
  { image, tools, above }: SplitImages,
): string {
  const [stage = "", result = ""] = pickNames([image, tools, above?.mounted, above?.below]);
  const mount = (from: string, name: string): string =>
    `--mount=type=bind,${from},target=${layers}/mnt/${name}`;
  const mounts = [
    ...(above === undefined ? [] : [mount(`from=${above.mounted}`, "base")]),
    ...(map === undefined && plan === undefined ? [] : [mount("source=.", "files")]),
    ...(tools === undefined ? [] : [mount(`from=${image}`, "image")]),
  ];
  const words = [
    `${layers}/bin/layer`,
    "split",
    ...(maxBytes === undefined ? [] : ["--max-layer-bytes", String(maxBytes)]),
    ...(map === undefined ? [] : ["--map", `${layers}/mnt/files/map`]),
    ...(plan === undefined ? [] : ["--plan", `${layers}/mnt/files/plan`]),
    ...(above === undefined ? [] : ["--above", `${layers}/mnt/base`]),
    kind,
    tools === undefined ? "/" : `${layers}/mnt/image`,
  ];
  const from = above === undefined ? [] : [`--from=${above.below}`];
  return [
    `FROM ${tools ?? image} AS ${stage}`,
    "USER 0",
    ["OUTPUT", ...from, layers].join(" "),
    // No shell of the image's choice reads it.
    ["RUN", ...mounts, JSON.stringify(words)].join(" "),
    `FROM ${image} AS ${result}`,
    `OUTPUT --inherit-config --from=${stage} ${layers}`,
    "",
  ].join("\n");
}

/** Names for two stages that are none of the images' names, of which there are four. */
function pickNames(images: readonly (string | undefined)[]): readonly string[] {
  const names = ["layers", "image", "packages", "result", "parts", "whole"];
  return names.filter((one) => !images.some((image) => image?.toLowerCase() === one));
}
