import type { LayerStatus } from "../../src/layers/layers.ts";
import type { Digest } from "../../src/oci/oci.ts";
import { hashText } from "../../src/oci/oci.ts";
import { compareLayers } from "../../src/pipeline/comparison/compare-layers.ts";
import type { BuildResult } from "../../src/pipeline/pipeline.ts";
import { createPrevious } from "./layers/fixtures.ts";

/** A layer of a result that a test makes up. */
export interface TestLayer {
  readonly name: string;
  /** Two of one name and content are one blob. */
  readonly content?: string;
  readonly size?: number;
  readonly status?: LayerStatus;
  readonly largest?: readonly { readonly path: string; readonly size: number }[];
}

function digestFor(text: string): Digest {
  return `sha256:${hashText(text).padEnd(64, "0").slice(0, 64)}`;
}

/** The result of a build that made these layers; undefined for what was before: there was nothing. */
export function makeResult(
  after: readonly TestLayer[],
  before: readonly TestLayer[] | undefined,
): BuildResult {
  const layers = after.map((one) => ({ ...describe(one), largest: one.largest }));
  const reference = `localhost/app:v1@${digestFor("previous")}`;
  const previous = before && createPrevious(before.map(describe), true, reference);
  return {
    names: ["localhost/app:v2"],
    digest: digestFor("manifest"),
    configDigest: digestFor("config"),
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    size: 1000,
    platform: { os: "linux", architecture: "amd64" },
    upToDate: false,
    layers,
    comparison: compareLayers(layers, previous),
  };
}

function describe({ name, content = "", size = 1000, status = "new" }: TestLayer) {
  const digest = digestFor(`${name} ${content}`);
  const mediaType = "application/vnd.oci.image.layer.v1.tar+gzip";
  return { name, digest, diffId: digest, mediaType, size, status, verified: true };
}
