import type { z } from "zod";
import { XbuildError } from "../errors.ts";
import { limitText, listSome } from "../text.ts";
import { JsonProblem } from "./json-tokens.ts";
import { isJsonObject } from "./json.ts";
import { readJson } from "./strict-json.ts";

/** Larger manifests and configs are refused: registries refuse them, and they are read whole. In bytes. */
export const maxDocumentSize = 4 * 1024 * 1024;

/**
 * The value of an image's document, null members of its top left out, as Go's tools write them. It is read as
 * strictly as `readJson` does. Errors: `image-invalid`. @param what "manifest", "config", "index"
 */
export function parseDocument(bytes: Uint8Array, what: string): unknown {
  if (bytes.byteLength > maxDocumentSize) {
    throw invalid(`its ${what} is larger than ${maxDocumentSize} bytes`);
  }
  try {
    return dropNulls(readJson(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)));
  } catch (cause) {
    if (!(cause instanceof JsonProblem)) throw cause;
    throw invalid(`its ${what} is not usable JSON: ${cause.message} (byte ${cause.offset})`, cause);
  }
}

/** What Go writes for something that is not there. */
export function dropNulls(value: unknown): unknown {
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== null));
}

/** A document as its schema has it. Errors: `image-invalid`, which names a few of the faults. */
export function check<T>(schema: z.ZodType<T>, document: unknown, what: string): T {
  const result = schema.safeParse(document);
  if (result.success) return result.data;
  const findings = result.error.issues.map((issue) => {
    const path = issue.path.join(".");
    return limitText(path === "" ? issue.message : `${path}: ${issue.message}`, 200);
  });
  throw invalid(`its ${what} does not follow the specification (${listSome(findings, 5, "; ")})`);
}

/** The error for an image that is not what the specification says. */
export function invalid(reason: string, cause?: unknown): XbuildError {
  const hint = "build or pull the image again, or name another one";
  return new XbuildError("image-invalid", `the image is broken: ${reason}`, { hint, cause });
}

/** The error for an image that is well, and of a kind that is not for us. */
export function unsupported(reason: string, hint: string): XbuildError {
  return new XbuildError("image-unsupported", `the image cannot be used: ${reason}`, { hint });
}
