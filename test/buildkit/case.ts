import type { ProjectFiles } from "../support/project.ts";

/** What the rows are built of. */
export interface World {
  /** `127.0.0.1:PORT` of the registry that has the bases. */
  readonly registry: string;
  /** A busybox, in which `app` is the user 1000. */
  readonly base: string;
  /** The same with GNU's tar, touch and cp, setfattr and setcap. */
  readonly tools: string;
  /** The same, ONBUILD in its config. */
  readonly triggers: string;
  /** An image of two layers, `lower-one` and `lower-two`, with a config. */
  readonly lower: string;
  /** A minimal Debian; not where few rows are built. */
  readonly debian: string;
  /** A directory outside of the context, with files in it. */
  readonly other: string;
}

/**
 * What makes the times of a row's images equal: an epoch; or the previous image, by `--cache-from` of a registry, or in
 * a store that was copied.
 */
export type Ground = "epoch" | "registry" | "store";

export type ColumnName = "buildah" | "podman" | "buildkit" | "buildx";

/** Layers whose names are words of the engine's. */
export const anyLayers = Symbol("any layers");

/** What the image must have, so that equal images are not equally empty. */
export interface Contents {
  /** The names of the layers. */
  readonly layers: readonly string[] | typeof anyLayers;
  /** Lines among those that tar prints of the layers. */
  readonly entries?: readonly string[];
  /** What the config's `config` must be. */
  readonly container?: object;
}

/** A row of the table: a build whose image is the same in all columns. */
export interface Case extends Contents {
  readonly name: string;
  /** The grounds that each change is tried with; none where they are left out. */
  readonly few?: readonly Ground[];
  /** Those that it is possible on; by default the first two. */
  readonly grounds?: readonly Ground[];
  /** The Containerfile's text, or that and other files. */
  readonly files: (world: World) => string | ProjectFiles;
  /** What files cannot say of the context. */
  readonly prepare?: (context: string, world: World) => Promise<void>;
  /** The same of the image that is the previous one of all columns on the ground of an epoch, where there is one. */
  readonly before?: (world: World) => string | ProjectFiles;
  readonly args?: (world: World) => readonly string[];
  /** What cannot be equal. */
  readonly differs?: Difference;
}

export interface Difference extends Omit<Contents, "layers"> {
  /** Where the image is another one, the same one in these. */
  readonly columns: readonly ColumnName[];
  readonly because: string;
}

/** A step that makes a layer `told` of what these words expand to, a line each. */
export function tell(...words: readonly string[]): string {
  const lines = words.map((word) => `echo "${word}"`).join("; ");
  return `RUN mkdir -p /layers/output/layers/told && { ${lines}; } > /layers/output/layers/told/told\n`;
}

/** Steps that write trees and tars, each beginning in `output/layers`. */
export function loose(base: string, ...steps: readonly string[]): string {
  const lines = steps.map((step) => `RUN cd /layers/output/layers && ${step}\n`);
  return `FROM ${base}\nOUTPUT /layers\n${lines.join("")}`;
}
