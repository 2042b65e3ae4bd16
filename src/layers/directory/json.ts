import { parseJson as parse } from "../../archive/archive.ts";
import type { Json, JsonSource } from "../../oci/oci.ts";

/** Reads a JSON document of a build. Errors: `output-json-invalid` with line and column. */
export function parseJson(source: JsonSource): Json {
  return parse(source, { code: "output-json-invalid", hint: "write valid JSON (RFC 8259)" });
}
