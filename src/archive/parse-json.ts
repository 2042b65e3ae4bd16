import type { ErrorCode } from "../codes.ts";
import { type Json, JsonProblem, type JsonSource, readJson, toSpans } from "../oci/oci.ts";
import { refuse } from "./refuse.ts";

/** Reads a JSON document of a user, as strictly as `readJson` does. Errors: `code`, with line and column. */
export function parseJson(
  source: JsonSource,
  { code, hint }: { readonly code: ErrorCode; readonly hint: string },
): Json {
  try {
    return readJson(source.bytes.subarray(source.start, source.end));
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    const [span] = toSpans(source.bytes, [source.start + error.offset]);
    const place = { file: source.file, ...(span === undefined ? {} : { span }) };
    throw refuse(code, error.message, { ...place, hint });
  }
}
