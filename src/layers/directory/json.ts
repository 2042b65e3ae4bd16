import { JsonProblem, type Json, type JsonSource, readJson, toSpans } from "../../oci/oci.ts";
import { refuse } from "../../archive/archive.ts";

/**
 * Reads a JSON document of a build, as strictly as `readJson` does. Errors: `output-json-invalid` with line
 * and column.
 */
export function parseJson(source: JsonSource): Json {
  try {
    return readJson(source.bytes.subarray(source.start, source.end));
  } catch (error) {
    if (!(error instanceof JsonProblem)) throw error;
    const [span] = toSpans(source.bytes, [source.start + error.offset]);
    const place = { file: source.file, ...(span === undefined ? {} : { span }) };
    throw refuse("output-json-invalid", error.message, {
      ...place,
      hint: "write valid JSON (RFC 8259)",
    });
  }
}
