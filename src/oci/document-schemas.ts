import { z } from "zod";
import { isDigest } from "./digest.ts";
import type { Digest } from "./model.ts";

/** No file of any storage is larger; in bytes, 8 TiB. */
const maxSize = 2 ** 43;

const digest = z.custom<Digest>(
  isDigest,
  "not a sha256 digest (sha256: and 64 lower-case hex digits)",
);
const annotations = z.record(z.string(), z.string());
const platform = z.looseObject({
  architecture: z.string(),
  os: z.string(),
  variant: z.exactOptional(z.string()),
  "os.version": z.exactOptional(z.string()),
  "os.features": z.exactOptional(z.array(z.string())),
});
const descriptor = z.looseObject({
  mediaType: z.string().min(1),
  digest,
  size: z.int().nonnegative().max(maxSize),
  urls: z.exactOptional(z.array(z.string())),
  annotations: z.exactOptional(annotations),
  platform: z.exactOptional(platform),
});
/** image-spec v1.1, manifest.md. */
export const manifestSchema = z.looseObject({
  schemaVersion: z.literal(2),
  // image-spec lets it be missing; the type of the config then tells.
  mediaType: z.string().default("application/vnd.oci.image.manifest.v1+json"),
  config: descriptor,
  layers: z.array(descriptor),
  annotations: z.exactOptional(annotations),
});
/** image-spec v1.1, image-index.md. */
export const indexSchema = z.looseObject({
  schemaVersion: z.literal(2),
  mediaType: z.exactOptional(z.string()),
  manifests: z.array(descriptor),
  annotations: z.exactOptional(annotations),
});

const strings = z.array(z.string());
const json = z.json();
const containerConfig = z.looseObject({
  User: z.exactOptional(z.string()),
  ExposedPorts: z.exactOptional(z.record(z.string(), json)),
  Env: z.exactOptional(strings),
  Entrypoint: z.exactOptional(strings),
  Cmd: z.exactOptional(strings),
  Volumes: z.exactOptional(z.record(z.string(), json)),
  WorkingDir: z.exactOptional(z.string()),
  Labels: z.exactOptional(annotations),
  StopSignal: z.exactOptional(z.string()),
  Healthcheck: z.exactOptional(json),
  Shell: z.exactOptional(strings),
  OnBuild: z.exactOptional(strings),
  ArgsEscaped: z.exactOptional(z.boolean()),
});
const historyEntry = z.looseObject({
  created: z.exactOptional(z.string()),
  author: z.exactOptional(z.string()),
  created_by: z.exactOptional(z.string()),
  comment: z.exactOptional(z.string()),
  empty_layer: z.exactOptional(z.boolean()),
});
/** image-spec v1.1, config.md. Go leaves out a list that has nothing in it. */
export const configSchema = platform.extend({
  created: z.exactOptional(z.string()),
  author: z.exactOptional(z.string()),
  config: z.exactOptional(containerConfig),
  rootfs: z.looseObject({ type: z.literal("layers"), diff_ids: z.array(digest).default([]) }),
  history: z.exactOptional(z.array(historyEntry)),
});
