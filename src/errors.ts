import type { Diagnostic } from "./diagnostics.ts";

/**
 * Every stable error code of xbuild: kebab-case, `<area>-<what>`. A code never changes its meaning;
 * `docs/errors.md` lists each with what to do. Codes of Containerfile rules live in
 * `containerfile/rules.ts` (a page each under `docs/rules/`).
 */
export type ErrorCode =
  // command line and environment
  | "usage"
  | "file-not-found"
  | "open-files-limit"
  | "context-not-found"
  | "containerfile-invalid"
  // engine
  | "engine-not-found"
  | "engine-failed"
  | "engine-cannot-run"
  // images and their names (oci)
  | "image-invalid"
  | "image-unsupported"
  | "name-invalid"
  // store
  | "store-not-writable"
  | "store-full"
  | "store-damaged"
  | "store-lock"
  | "image-not-found"
  | "image-incomplete"
  | "step-failed"
  | "image-pull-failed"
  // plan
  | "output-unsupported"
  // transport
  | "copy-failed"
  | "registry-not-found"
  | "registry-denied"
  | "registry-unavailable"
  | "registry-tls"
  | "registry-corrupt"
  | "registry-blocked"
  | "registry-settings"
  | "policy-rejected"
  | "layer-external"
  | "layer-gone"
  | "image-untrue"
  | "output-destination"
  // rebase
  | "rebase-base-mismatch"
  | "rebase-base-unknown"
  | "rebase-conflict"
  // layers: what a build's output is refused for
  | "output-file-type"
  | "output-unreadable"
  | "output-changed"
  | "output-not-listed"
  | "output-name-invalid"
  | "output-json-invalid"
  | "output-json-too-large"
  | "output-history-twice"
  | "output-annotation-reserved"
  | "output-state-too-large"
  | "input-changed"
  | "blob-name-invalid"
  | "blob-digest-mismatch"
  | "layers-none"
  | "layers-too-many"
  | "layer-digest-invalid"
  | "layer-digest-unknown"
  | "layer-name-unknown"
  | "layer-path-unknown"
  | "layer-name-twice"
  | "layer-diff-id-mismatch"
  | "layer-size-mismatch"
  | "layer-media-type-mismatch"
  | "layer-too-large"
  | "layer-too-many-entries"
  | "layer-expands-too-much"
  | "layer-compression-broken"
  | "layer-compression-trailing-data"
  | "layer-tar-broken"
  | "layer-tar-truncated"
  | "layer-tar-trailing-data"
  | "layer-tar-size-mismatch"
  | "layer-tar-entry-type"
  | "layer-tar-device"
  | "layer-tar-duplicate-path"
  | "layer-tar-path-escape"
  | "layer-tar-path-through-link"
  | "layer-tar-link-target"
  | "layer-tar-whiteout"
  | "zstd-not-found";

/** Exit statuses, in one place: the engine's own for a failing step is carried by the error itself. */
export const exitStatuses = { refused: 1, usage: 125, interrupted: 130 } as const;

export interface ErrorDetails {
  /** What the user can do about it: one sentence, imperative. */
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
