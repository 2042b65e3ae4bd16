import { parseJson, refuse } from "../../archive/archive.ts";
import type { ErrorCode } from "../../codes.ts";
import type { XbuildError } from "../../errors.ts";
import {
  createSource,
  isJsonObject,
  type Json,
  type JsonSource,
  locateJson,
  maxDocumentSize,
} from "../../oci/oci.ts";

/** An object of a bake file. */
export type JsonObject = Readonly<Record<string, Json>>;

/** A value of a bake file, by the keys that lead to it. */
export interface BakePlace {
  readonly source: JsonSource;
  readonly path: readonly PropertyKey[];
}

/** A bake file in its JSON form, read and not yet understood. */
export interface BakeDocument {
  readonly value: JsonObject;
  readonly place: BakePlace;
}

/**
 * Reads a bake file as strictly as `readJson` does; a byte order mark before it is passed over. Errors:
 * `bake-file-invalid`, with line and column.
 */
export function readBakeDocument(bytes: Buffer, file: string): BakeDocument {
  const source = createSource(bytes, file);
  if (bytes.length > maxDocumentSize)
    throw refuse("bake-file-invalid", `it is larger than ${maxDocumentSize} bytes`, {
      file,
      hint: "split it into several files (-f)",
    });
  const place = { source, path: [] };
  const value = parseJson(source, {
    code: "bake-file-invalid",
    hint: "write valid JSON (RFC 8259); HCL needs a name that ends in .hcl",
  });
  if (isJsonObject(value)) return { value, place };
  throw refuseAt(place, "an object is expected here");
}

/** The place of an inner value. */
export function enter({ source, path }: BakePlace, ...keys: readonly PropertyKey[]): BakePlace {
  return { source, path: [...path, ...keys] };
}

export interface RefusalWords {
  readonly hint?: string | undefined;
  /** `bake-file-invalid` unless given. */
  readonly code?: ErrorCode;
}

/** The error for a value of a bake file. */
export function refuseAt(
  { source, path }: BakePlace,
  message: string,
  { hint = "compare it with docs/bake.md", code = "bake-file-invalid" }: RefusalWords = {},
): XbuildError {
  const [span] = locateJson(source, [path]);
  return refuse(code, message, {
    file: source.file,
    hint,
    ...(span === undefined ? {} : { span }),
  });
}
