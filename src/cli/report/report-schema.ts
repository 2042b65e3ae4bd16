import { z } from "zod";

// What `--report json:FILE` writes, for programs that read it: `npm run generate` makes its JSON Schema of this.

const digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);
const bytes = z.int().nonnegative();
const count = z.int().nonnegative();

const platform = z.object({
  os: z.string(),
  architecture: z.string(),
  variant: z.string().optional(),
});

const largest = z
  .array(z.object({ path: z.string(), size: bytes }))
  .optional()
  .describe(
    "of the layer of what no package owns, where the build read it: its largest paths, uncompressed",
  );

const layer = z.object({
  name: z.string(),
  digest,
  diffId: digest,
  mediaType: z.string(),
  size: bytes.describe("compressed"),
  status: z.enum(["base", "kept", "equal", "new"]),
  verified: z.boolean().describe("its bytes are on this machine, and were checked"),
  largest,
});

const compared = z.object({
  name: z.string(),
  digest,
  size: bytes.describe("compressed"),
  packages: z.array(z.string()).optional().describe("those that share the layer"),
});

const added = compared.extend({
  largest,
});

const changed = added.extend({
  replaces: compared,
  packageChanges: z
    .object({
      changed: z.array(z.object({ from: z.string(), to: z.string() })),
      new: z.array(z.string()),
      removed: z.array(z.string()),
    })
    .optional(),
});

const sum = z.object({ layers: count, size: bytes });

const comparison = z.object({
  previous: z
    .object({
      reference: z.string(),
      digest,
      origin: z.string().describe("why it was taken: named (--cache-from), store, pushed, ..."),
      layers: count,
      size: bytes,
    })
    .optional()
    .describe("missing where there was none"),
  changed: z.array(changed).describe("layers in the place of ones that are gone"),
  new: z.array(added),
  removed: z.array(compared.extend({ nowIn: z.string().optional() })),
  same: z.object({ kept: sum, equal: sum, base: sum }).describe("layers that both images have"),
  size: bytes.describe("of all layers"),
  download: bytes.describe("of the layers that whoever has the previous image has not"),
  shared: z.object({ layers: count, packages: count }),
});

const stage = z.object({ name: z.string(), digest, upToDate: z.boolean(), newLayers: count });

const image = z.object({
  digest,
  configDigest: digest,
  mediaType: z.string(),
  size: bytes.describe("of the manifest"),
  platform,
  upToDate: z.boolean(),
  layers: z.array(layer),
  comparison: comparison.optional().describe("missing where nothing was made"),
  stages: z.array(stage).optional(),
});

const report = z.object({
  schemaVersion: z.literal(1),
  names: z.array(z.string()),
  digest: digest.describe("of the image, or of the index of several platforms"),
  upToDate: z.boolean(),
  images: z.array(image).describe("one for each platform"),
});

/** Of several targets it is an object with the report of each by its name. */
export const reportSchema = z.union([report, z.record(z.string(), report)]);
