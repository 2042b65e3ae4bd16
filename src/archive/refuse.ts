import type { ErrorCode } from "../codes.ts";
import type { Span } from "../diagnostics.ts";
import { XbuildError } from "../errors.ts";

export interface Place {
  /** As the build names it: `output/history.json`. */
  readonly file: string;
  readonly span?: Span;
}

/** Where something is refused, and what to do about it. */
export interface Refusal extends Place {
  readonly hint: string;
  readonly cause?: unknown;
}

/**
 * The error for something that is refused: what (without a full stop), where, and what to do. The place
 * is part of the message too, for those who print nothing else.
 */
export function refuse(
  code: ErrorCode,
  message: string,
  { hint, cause, ...place }: Refusal,
): XbuildError {
  const where =
    place.span === undefined
      ? place.file
      : `${place.file}:${place.span.start.line}:${place.span.start.column}`;
  return new XbuildError(code, `${where}: ${message}`, {
    hint,
    diagnostics: [{ code, severity: "error", message, hint, ...place }],
    ...(cause === undefined ? {} : { cause }),
  });
}

/** A name as a person may read it: one line, no control characters, bytes that are no UTF-8 as `\xNN`. */
export function showBytes(bytes: string): string {
  const buffer = Buffer.from(bytes, "latin1");
  const text = buffer.toString("utf8");
  const valid = Buffer.from(text, "utf8").equals(buffer);
  const shown = valid ? text : bytes;
  const escaped = shown.replaceAll(
    valid ? /[\p{Cc}\u2028\u2029]/gu : /[^\x20-\x7e]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
  return escaped.length > 200 ? `${escaped.slice(0, 200)}...` : escaped;
}

/** The error for a layer that is over `--max-layer-size` (`maxSize`, in bytes). */
export function tooLarge(shown: string, maxSize: number): XbuildError {
  const message = `the layer is larger than ${maxSize} bytes`;
  const hint = "split it, or allow more with --max-layer-size";
  return refuse("layer-too-large", message, { file: shown, hint });
}
