import type { ErrorCode } from "./codes.ts";
import type { Diagnostic } from "./diagnostics.ts";

/** Exit statuses, in one place: the engine's own for a failing step is carried by the error itself. */
export const exitStatuses = { refused: 1, usage: 125, interrupted: 130 } as const;

export interface ErrorDetails {
  /** What the user can do about it: an imperative in lower case, without a full stop. */
  readonly hint?: string;
  /** Located findings that explain the error, in source order; rendered below the message. */
  readonly diagnostics?: readonly Diagnostic[];
  /** The process's exit status; 1 (refused) unless given. */
  readonly exitStatus?: number;
  readonly cause?: unknown;
}

/** The one error class: everything that xbuild refuses or fails at, ready to be shown to a person. */
export class XbuildError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly exitStatus: number;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "XbuildError";
    this.code = code;
    this.hint = details.hint;
    this.diagnostics = details.diagnostics ?? [];
    this.exitStatus = details.exitStatus ?? exitStatuses.refused;
  }
}

/** Where in a file an error is, and what to do there. */
export type ErrorPlace = Pick<Diagnostic, "file" | "span" | "hint"> &
  Pick<ErrorDetails, "exitStatus" | "cause">;

/** An error that one finding at its place says whole. */
export function errorAt(
  code: ErrorCode,
  message: string,
  { exitStatus = exitStatuses.refused, cause, ...place }: ErrorPlace,
): XbuildError {
  return new XbuildError(code, message, {
    diagnostics: [{ code, severity: "error", message, ...place }],
    exitStatus,
    cause,
  });
}

/** The same error in other words: what the place that threw it could not know. */
export function restateError(
  error: XbuildError,
  words: { readonly message?: string; readonly hint?: string },
): XbuildError {
  const hint = words.hint ?? error.hint;
  return new XbuildError(error.code, words.message ?? error.message, {
    diagnostics: error.diagnostics,
    exitStatus: error.exitStatus,
    cause: error.cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** The same error with more that can be done about it, wherever its hint is told. */
export function addHint(error: XbuildError, more: string): XbuildError {
  const extend = (before: string | undefined): string =>
    before === undefined ? more : `${before}; ${more}`;
  return new XbuildError(error.code, error.message, {
    hint: extend(error.hint),
    diagnostics: error.diagnostics.map((one) => ({ ...one, hint: extend(one.hint) })),
    exitStatus: error.exitStatus,
    cause: error.cause,
  });
}
