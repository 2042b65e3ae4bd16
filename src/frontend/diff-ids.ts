import { z } from "zod";
import { encodeJson, tryParseJson } from "../oci/oci.ts";

const configSchema = z.looseObject({ rootfs: z.looseObject({ diff_ids: z.null() }) });

/** A config, in which Go writes `null` for the layers of an image that has none; what is none stays as it is. */
export function withDiffIds(bytes: Uint8Array): Uint8Array {
  const { data: config } = configSchema.safeParse(tryParseJson(bytes));
  if (config === undefined) return bytes;
  return encodeJson({ ...config, rootfs: { ...config.rootfs, diff_ids: [] } });
}
