import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { assembleImage } from "../../../src/oci/assemble.ts";
import type { Annotations, Digest, HistoryEntry } from "../../../src/oci/model.ts";
import { collectOutput } from "../../../src/layers/collect/collect.ts";
import type {
  CollectedLayer,
  CollectedOutput,
  CollectOptions,
  PreviousImage,
} from "../../../src/layers/model.ts";

/** A directory for one test, gone when it ends. */
export function createDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "xbuild-layers-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Writes files below a directory: a text or bytes a path. */
export function writeFiles(
  directory: string,
  files: Readonly<Record<string, string | Buffer>>,
): string {
  for (const [name, content] of Object.entries(files)) {
    const path = join(directory, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  return directory;
}

/** A tar of a directory's content by GNU tar. */
export function makeTar(directory: string, ...args: readonly string[]): Buffer {
  const all = ["--sort=name", "--mtime=@1000000000", ...args, "-C", directory, "-cf", "-", "."];
  return execFileSync("tar", all, { maxBuffer: 1024 ** 3 });
}

export function compress(program: "gzip" | "zstd", bytes: Buffer): Buffer {
  return execFileSync(program, ["-c"], { input: bytes, maxBuffer: 1024 ** 3, stdio: "pipe" });
}

export function digestOf(bytes: Buffer): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Puts blobs into an output directory, each under its digest. */
export function writeBlobs(output: string, ...blobs: readonly Buffer[]): readonly Digest[] {
  return blobs.map((blob) => {
    const digest = digestOf(blob);
    writeFiles(output, { [`blobs/sha256/${digest.slice(7)}`]: blob });
    return digest;
  });
}

/** Collects an output directory with the usual options. */
export async function collect(
  output: string,
  options: Partial<CollectOptions> = {},
): Promise<CollectedOutput> {
  return collectOutput(output, createOptions(options));
}

/** The usual options, with a new directory for blobs. */
export function createOptions(options: Partial<CollectOptions> = {}): CollectOptions {
  const staging = join(createDirectory(), "staging");
  mkdirSync(staging);
  return {
    previous: [],
    reuse: undefined,
    compression: "gzip",
    epoch: undefined,
    maxLayers: 127,
    maxLayerSize: 1024 ** 3,
    allowDevices: false,
    staging,
    baseLayers: 0,
    isKnown: () => Promise.resolve(true),
    ...options,
  };
}

export function layersOf(output: CollectedOutput): readonly CollectedLayer[] {
  return output.entries.flatMap((entry) => (entry.kind === "layer" ? [entry.layer] : []));
}

export interface LayerFixture {
  readonly name?: string;
  readonly digest: Digest;
  readonly diffId: Digest;
  readonly size?: number;
  readonly mediaType?: string;
  readonly annotations?: Annotations;
  readonly urls?: readonly string[];
  readonly history?: HistoryEntry;
}

/** Of a previous image that is in the store as a whole. */
const ofTheStore = {
  origin: "store",
  isDestination: false,
  withheld: new Set<Digest>(),
  locations: [],
  files: new Map<Digest, string>(),
} as const;

/** A previous image of these layers. */
export function createPrevious(
  layers: readonly LayerFixture[],
  trusted = true,
  reference = "localhost/app:latest",
): PreviousImage {
  const image = assembleImage({
    platform: { os: "linux", architecture: "amd64" },
    config: {},
    entries: layers.map((layer) => ({
      history: layer.history ?? { created_by: layer.name ?? "layer" },
      layer: {
        diffId: layer.diffId,
        descriptor: {
          mediaType: layer.mediaType ?? "application/vnd.oci.image.layer.v1.tar+gzip",
          digest: layer.digest,
          size: layer.size ?? 100,
          ...(layer.annotations === undefined ? {} : { annotations: layer.annotations }),
          ...(layer.urls === undefined ? {} : { urls: layer.urls }),
        },
      },
    })),
    annotations: {},
    created: "2026-01-01T00:00:00Z",
  });
  return { reference, image, trusted, ...ofTheStore };
}

/** What a collected output becomes as the next build's previous image. */
export function asPrevious(output: CollectedOutput, trusted = true): PreviousImage {
  const image = assembleImage({
    platform: { os: "linux", architecture: "amd64" },
    config: {},
    entries: output.entries.map((entry) =>
      entry.kind === "empty"
        ? { history: entry.history }
        : { history: entry.layer.history, layer: entry.layer },
    ),
    annotations: output.annotations,
    created: "2026-01-01T00:00:00Z",
  });
  return { reference: "localhost/app:latest", image, trusted, ...ofTheStore };
}
