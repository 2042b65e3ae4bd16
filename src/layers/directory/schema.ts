import { z } from "zod";
import { isDigest, ownAnnotationPrefix, type Digest } from "../../oci/oci.ts";

/*
 * The documents that a build writes. Unknown keys are refused, for they are mistakes that would pass
 * without a word. docs/protocol.md is written from these, docs/schemas is generated from them.
 */

const digest = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, "not a digest: sha256: and 64 lower-case hex digits")
  .refine((text): text is Digest => isDigest(text));

const time = z
  .string()
  .regex(
    /^\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01])T(?:[01]\d|2[0-3]):[0-5]\d:(?:[0-5]\d|60)(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/,
    "not an RFC 3339 time such as 2026-01-31T12:00:00Z",
  )
  .refine(isDate, "not an existing day");

const annotations = z.record(z.string().min(1), z.string());

/** An entry of `output/history.json`: a layer by its digest or its path, or an empty one. */
export const entrySchema = z.strictObject({
  created_by: z.string().exactOptional().describe("The layer's name"),
  digest: digest
    .exactOptional()
    .describe("A blob in output/blobs/sha256, or a layer of the history"),
  path: z
    .string()
    .min(1)
    .exactOptional()
    .describe("A loose layer, from output/: layers/<file or directory>"),
  empty_layer: z.boolean().exactOptional().describe("An entry of the history without a layer"),
  created: time.exactOptional(),
  author: z.string().exactOptional(),
  comment: z.string().exactOptional(),
  annotations: annotations.exactOptional().describe("For the layer's descriptor in the manifest"),
  mediaType: z.string().exactOptional().describe("Where it is given it must be true"),
  diff_id: digest
    .exactOptional()
    .describe("Where it is given it must be true; alone it names a layer of the history"),
  size: z
    .int()
    .nonnegative()
    .exactOptional()
    .describe("Of the blob in bytes; where it is given it must be true"),
  blob: z.boolean().exactOptional().describe("As in the input; says nothing here"),
});

/** `output/history.json` as an array. */
export const entriesSchema = z.array(entrySchema);

/** `output/history.json` as an object, such as the one of the input. */
export const historySchema = z.strictObject({
  history: entriesSchema,
  schemaVersion: z.literal(1).exactOptional(),
  maxLayers: z.int().exactOptional(),
  baseLayers: z.int().exactOptional(),
  image: z.string().exactOptional(),
  others: z.array(z.unknown()).exactOptional(),
});

const strings = z.array(z.string());
const flags = z.record(z.string().min(1), z.strictObject({}).nullable());

/** `output/config.json`: image-spec v1.1, config.md, "config", and what Docker adds; null removes. */
export const configSchema = z.strictObject({
  User: z.string().nullable().exactOptional(),
  ExposedPorts: flags.nullable().exactOptional(),
  Env: z
    .array(z.string().regex(/^[^=]+=/, "not NAME=value"))
    .nullable()
    .exactOptional(),
  Entrypoint: strings.nullable().exactOptional(),
  Cmd: strings.nullable().exactOptional(),
  Volumes: flags.nullable().exactOptional(),
  WorkingDir: z.string().nullable().exactOptional(),
  Labels: z.record(z.string().min(1), z.string().nullable()).nullable().exactOptional(),
  StopSignal: z.string().nullable().exactOptional(),
  Healthcheck: z
    .strictObject({
      Test: strings.exactOptional(),
      Interval: z.int().nonnegative().exactOptional(),
      Timeout: z.int().nonnegative().exactOptional(),
      StartPeriod: z.int().nonnegative().exactOptional(),
      StartInterval: z.int().nonnegative().exactOptional(),
      Retries: z.int().nonnegative().exactOptional(),
    })
    .nullable()
    .exactOptional(),
  Shell: strings.nullable().exactOptional(),
  OnBuild: strings.nullable().exactOptional(),
  ArgsEscaped: z.boolean().nullable().exactOptional(),
});

/** `output/annotations.json`: for the image's manifest. */
export const annotationsSchema = annotations;

export type OutputEntry = z.infer<typeof entrySchema>;
export type OutputConfig = z.infer<typeof configSchema>;

const inputEntry = z.strictObject({
  created: z.string().exactOptional(),
  created_by: z.string().exactOptional().describe("The layer's name"),
  author: z.string().exactOptional(),
  comment: z.string().exactOptional(),
  empty_layer: z.boolean().exactOptional().describe("An entry of the history without a layer"),
  digest: digest.exactOptional(),
  diff_id: digest.exactOptional(),
  mediaType: z.string().exactOptional(),
  size: z.int().nonnegative().exactOptional().describe("Of the blob in bytes"),
  blob: z.boolean().exactOptional().describe("Whether it lies in input/blobs/sha256"),
  annotations: z.record(z.string(), z.string()).exactOptional(),
});

/** `history.json` as a build finds it. */
export const inputSchema = z.strictObject({
  schemaVersion: z.literal(1),
  maxLayers: z.int().describe("How many layers the build may list"),
  baseLayers: z.int().describe("How many layers of OUTPUT's --from lie below them"),
  image: z
    .string()
    .exactOptional()
    .describe("The previous image, with its digest; missing where there is none"),
  history: z.array(inputEntry),
  others: z.array(z.strictObject({ image: z.string(), history: z.array(inputEntry) })),
});

/** Whether an annotation is one that only we may write. */
export function isOwnAnnotation(key: string): boolean {
  return key.startsWith(ownAnnotationPrefix);
}

/** Whether the day is one of its month. */
function isDate(time: string): boolean {
  const [year, month, day] = time.slice(0, 10).split("-").map(Number);
  return new Date(Date.UTC(year ?? 0, month ?? 0, 0)).getUTCDate() >= (day ?? 0);
}
