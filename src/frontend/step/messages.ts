import { z } from "zod";

/** What the program is given to be the step. */
export const collectWord = "collect";

/** Where the step finds and leaves things. */
export const places = {
  /** The file system that has the output. */
  root: "/in/root",
  request: "/in/request",
  result: "/out",
} as const;

export const requestName = "request.json";
export const resultName = "result.json";
/** Of new layers, each an archive. */
export const layersName = "layers";

const digest = z.templateLiteral(["sha256:", z.string().regex(/^[0-9a-f]{64}$/)]);

const previousSchema = z.object({
  /** With a digest. */
  reference: z.string(),
  /** Of the manifest, or of the index that it is in. */
  digest,
  /** Its bytes, in base64. */
  config: z.string(),
});

/** What the step is asked: how the output of a stage is read, and what there was before. */
export const requestSchema = z.object({
  /** Of this document: another one is another step. */
  version: z.literal(1),
  /** The directory of the output: absolute there. */
  output: z.string(),
  previous: z.array(previousSchema),
  reuse: z.enum(["content", "exact"]).optional(),
  epoch: z.number().optional(),
  maxLayers: z.number(),
  maxLayerSize: z.number(),
  baseLayers: z.number(),
  allowDevices: z.boolean(),
});

export type StepRequest = z.infer<typeof requestSchema>;

const historySchema = z.object({
  created: z.string().optional(),
  created_by: z.string().optional(),
  author: z.string().optional(),
  comment: z.string().optional(),
  empty_layer: z.boolean().optional(),
});

const layerSchema = z.object({
  kind: z.literal("layer"),
  name: z.string(),
  status: z.enum(["kept", "equal", "new"]),
  history: historySchema,
  /** Of the canonical archive, where it is new; else of the previous image's layer. */
  diffId: digest,
  fingerprint: z.string().optional(),
  /** Of a kept layer: that of its canonical archive. */
  canonical: digest.optional(),
  /** The archive of a new one, from the result's directory. */
  file: z.string().optional(),
  /** Whether it has no entry at all. */
  isEmpty: z.boolean().optional(),
  /** Paths that it takes away of layers below. */
  removed: z.array(z.string()).optional(),
});

const diagnosticSchema = z.object({
  code: z.string(),
  severity: z.enum(["error", "warning"]),
  message: z.string(),
  hint: z.string().optional(),
  file: z.string().optional(),
});

const failureSchema = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().optional(),
  diagnostics: z.array(diagnosticSchema),
});

const madeSchema = z.object({
  entries: z.array(
    z.discriminatedUnion("kind", [
      layerSchema,
      z.object({ kind: z.literal("empty"), history: historySchema }),
    ]),
  ),
  /** `output/config.json` */
  config: z.record(z.string(), z.json()).optional(),
  annotations: z.record(z.string(), z.string()),
  warnings: z.array(diagnosticSchema),
});

/** What the step leaves: what the output comes to, or why it is refused. */
export const resultSchema = z.union([z.object({ failure: failureSchema }), madeSchema]);

export type StepMade = z.infer<typeof madeSchema>;
export type StepLayer = z.infer<typeof layerSchema>;
export type StepFailure = z.infer<typeof failureSchema>;
