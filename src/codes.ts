/**
 * Every stable code that xbuild prints: kebab-case, never with another meaning than it has had. `kind` says who
 * tells it (`error`: an `XbuildError`; `warning`: a build; `rule`: `xbuild check` and a build; `finding`: `xbuild
 * cache verify`), `severity` how grave it is unless the user asks for less (`--ignore-cache-errors`, `--force`),
 * `area` on which page it stands: `docs/rules/<area>.md` for rules, else `docs/errors/<area>.md`, a heading a code.
 */
export const codes = {
  // The command line and the files that it names
  usage: { kind: "error", severity: "error", area: "command-line" },
  "file-not-found": { kind: "error", severity: "error", area: "command-line" },
  "context-not-found": { kind: "error", severity: "error", area: "command-line" },
  "context-url-invalid": { kind: "error", severity: "error", area: "command-line" },
  "context-unavailable": { kind: "error", severity: "error", area: "command-line" },
  "context-archive-invalid": { kind: "error", severity: "error", area: "command-line" },
  "ignore-file-invalid": { kind: "error", severity: "error", area: "command-line" },
  "name-invalid": { kind: "error", severity: "error", area: "command-line" },
  "output-destination": { kind: "error", severity: "error", area: "command-line" },
  "output-unread": { kind: "warning", severity: "warning", area: "command-line" },
  "bake-file-invalid": { kind: "error", severity: "error", area: "command-line" },
  "bake-key-unknown": { kind: "warning", severity: "warning", area: "command-line" },
  "bake-unsupported": { kind: "error", severity: "error", area: "command-line" },
  "buildx-failed": { kind: "error", severity: "error", area: "command-line" },
  // The Containerfile as a whole, the engine and its steps
  "containerfile-invalid": { kind: "error", severity: "error", area: "build" },
  "output-unsupported": { kind: "error", severity: "error", area: "build" },
  "engine-not-found": { kind: "error", severity: "error", area: "build" },
  "engine-failed": { kind: "error", severity: "error", area: "build" },
  "engine-cannot-run": { kind: "error", severity: "error", area: "build" },
  "builder-lost": { kind: "error", severity: "error", area: "build" },
  "engine-limits": { kind: "error", severity: "error", area: "build" },
  "image-pull-failed": { kind: "error", severity: "error", area: "build" },
  "platform-cannot-run": { kind: "error", severity: "error", area: "build" },
  "step-failed": { kind: "error", severity: "error", area: "build" },
  "shell-unavailable": { kind: "warning", severity: "warning", area: "build" },
  "open-files-limit": { kind: "error", severity: "error", area: "build" },
  "inputs-changed": { kind: "warning", severity: "warning", area: "build" },
  "step-processes": { kind: "warning", severity: "warning", area: "build" },
  "engine-storage-busy": { kind: "warning", severity: "warning", area: "build" },
  "engine-start-busy": { kind: "warning", severity: "warning", area: "build" },
  "run-left": { kind: "warning", severity: "warning", area: "build" },
  "frontend-unsupported": { kind: "error", severity: "error", area: "build" },
  "previous-unreadable": { kind: "warning", severity: "warning", area: "build" },
  "history-unreadable": { kind: "warning", severity: "warning", area: "build" },
  "previous-unused": { kind: "warning", severity: "warning", area: "build" },
  "output-flag-unused": { kind: "warning", severity: "warning", area: "build" },
  "annotation-lost": { kind: "warning", severity: "warning", area: "build" },
  "attributes-lost": { kind: "warning", severity: "warning", area: "build" },
  // What the layering steps left in the output directory
  "layers-none": { kind: "error", severity: "error", area: "output" },
  "layers-too-many": { kind: "error", severity: "error", area: "output" },
  "layer-digest-invalid": { kind: "error", severity: "error", area: "output" },
  "layer-digest-unknown": { kind: "error", severity: "error", area: "output" },
  "layer-name-unknown": { kind: "error", severity: "error", area: "output" },
  "layer-path-unknown": { kind: "error", severity: "error", area: "output" },
  "layer-name-twice": { kind: "error", severity: "error", area: "output" },
  "layer-diff-id-mismatch": { kind: "error", severity: "error", area: "output" },
  "layer-size-mismatch": { kind: "error", severity: "error", area: "output" },
  "layer-media-type-mismatch": { kind: "error", severity: "error", area: "output" },
  "blob-name-invalid": { kind: "error", severity: "error", area: "output" },
  "blob-digest-mismatch": { kind: "error", severity: "error", area: "output" },
  "output-file-type": { kind: "error", severity: "error", area: "output" },
  "output-unreadable": { kind: "error", severity: "error", area: "output" },
  "output-changed": { kind: "error", severity: "error", area: "output" },
  "output-not-listed": { kind: "error", severity: "error", area: "output" },
  "output-name-invalid": { kind: "error", severity: "error", area: "output" },
  "output-json-invalid": { kind: "error", severity: "error", area: "output" },
  "output-json-too-large": { kind: "error", severity: "error", area: "output" },
  "output-history-twice": { kind: "error", severity: "error", area: "output" },
  "output-annotation-reserved": { kind: "error", severity: "error", area: "output" },
  "output-state-too-large": { kind: "error", severity: "error", area: "output" },
  "input-changed": { kind: "error", severity: "error", area: "output" },
  "output-not-kept": { kind: "warning", severity: "warning", area: "output" },
  "output-unknown-file": { kind: "warning", severity: "warning", area: "output" },
  "output-state-file": { kind: "warning", severity: "warning", area: "output" },
  // The bytes of a layer: size, compression, archive
  "layer-too-large": { kind: "error", severity: "error", area: "layers" },
  "layer-too-many-entries": { kind: "error", severity: "error", area: "layers" },
  "layer-expands-too-much": { kind: "error", severity: "error", area: "layers" },
  "layer-compression-broken": { kind: "error", severity: "error", area: "layers" },
  "layer-compression-trailing-data": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-broken": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-truncated": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-trailing-data": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-size-mismatch": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-entry-type": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-device": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-duplicate-path": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-path-escape": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-path-through-link": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-link-target": { kind: "error", severity: "error", area: "layers" },
  "layer-tar-whiteout": { kind: "error", severity: "error", area: "layers" },
  "zstd-not-found": { kind: "error", severity: "error", area: "layers" },
  "layer-directory-changed": { kind: "warning", severity: "warning", area: "layers" },
  "from-hides": { kind: "warning", severity: "warning", area: "layers" },
  "layer-socket": { kind: "warning", severity: "warning", area: "layers" },
  "layer-xattrs-unread": { kind: "warning", severity: "warning", area: "layers" },
  // Images, here and elsewhere
  "image-invalid": { kind: "error", severity: "error", area: "images" },
  "image-unsupported": { kind: "error", severity: "error", area: "images" },
  "image-untrue": { kind: "error", severity: "error", area: "images" },
  "image-not-found": { kind: "error", severity: "error", area: "images" },
  "image-incomplete": { kind: "error", severity: "error", area: "images" },
  "layer-external": { kind: "error", severity: "error", area: "images" },
  "layer-gone": { kind: "error", severity: "error", area: "images" },
  "cache-tags-unclear": { kind: "error", severity: "error", area: "images" },
  // The store
  "store-not-writable": { kind: "error", severity: "error", area: "store" },
  "store-full": { kind: "error", severity: "error", area: "store" },
  "store-damaged": { kind: "error", severity: "error", area: "store" },
  "store-lock": { kind: "error", severity: "error", area: "store" },
  "lock-busy": { kind: "warning", severity: "warning", area: "store" },
  "index-changed": { kind: "finding", severity: "error", area: "store" },
  "blob-damaged": { kind: "finding", severity: "error", area: "store" },
  "blob-name": { kind: "finding", severity: "error", area: "store" },
  "layer-diff-id": { kind: "finding", severity: "error", area: "store" },
  "record-damaged": { kind: "finding", severity: "error", area: "store" },
  "image-missing": { kind: "finding", severity: "error", area: "store" },
  // Registries, and copies by skopeo
  "registry-not-found": { kind: "error", severity: "error", area: "registry" },
  "registry-denied": { kind: "error", severity: "error", area: "registry" },
  "registry-unavailable": { kind: "error", severity: "error", area: "registry" },
  "registry-tls": { kind: "error", severity: "error", area: "registry" },
  "registry-plain-http": { kind: "error", severity: "error", area: "registry" },
  "registry-corrupt": { kind: "error", severity: "error", area: "registry" },
  "registry-blocked": { kind: "error", severity: "error", area: "registry" },
  "registry-settings": { kind: "error", severity: "error", area: "registry" },
  "policy-rejected": { kind: "error", severity: "error", area: "registry" },
  "copy-failed": { kind: "error", severity: "error", area: "registry" },
  // xbuild rebase
  "rebase-base-mismatch": { kind: "error", severity: "error", area: "rebase" },
  "rebase-base-unknown": { kind: "error", severity: "error", area: "rebase" },
  "rebase-conflict": { kind: "error", severity: "error", area: "rebase" },
  "rebase-unchecked": { kind: "warning", severity: "warning", area: "rebase" },
  // Rules: lines, words and quotes
  "no-instructions": { kind: "rule", severity: "error", area: "syntax" },
  "line-too-long": { kind: "rule", severity: "error", area: "syntax" },
  "continuation-blank-line": { kind: "rule", severity: "warning", area: "syntax" },
  "heredoc-unterminated": { kind: "rule", severity: "error", area: "syntax" },
  "directive-duplicate": { kind: "rule", severity: "error", area: "syntax" },
  "directive-escape-invalid": { kind: "rule", severity: "error", area: "syntax" },
  "json-not-strings": { kind: "rule", severity: "error", area: "syntax" },
  "key-value-missing": { kind: "rule", severity: "error", area: "syntax" },
  "key-value-no-equals": { kind: "rule", severity: "error", area: "syntax" },
  "expansion-invalid": { kind: "rule", severity: "error", area: "syntax" },
  // Rules: single instructions and their flags
  "instruction-unknown": { kind: "rule", severity: "error", area: "instructions" },
  "instruction-before-from": { kind: "rule", severity: "error", area: "instructions" },
  "arguments-missing": { kind: "rule", severity: "error", area: "instructions" },
  "onbuild-trigger": { kind: "rule", severity: "error", area: "instructions" },
  "flag-unknown": { kind: "rule", severity: "warning", area: "instructions" },
  "flag-value-missing": { kind: "rule", severity: "error", area: "instructions" },
  "flag-duplicate": { kind: "rule", severity: "error", area: "instructions" },
  "secret-in-variable": { kind: "rule", severity: "warning", area: "instructions" },
  // Rules: FROM, stages and what names them
  "from-arguments": { kind: "rule", severity: "error", area: "stages" },
  "base-blank": { kind: "rule", severity: "error", area: "stages" },
  "base-later-stage": { kind: "rule", severity: "warning", area: "stages" },
  "base-without-version": { kind: "rule", severity: "warning", area: "stages" },
  "from-blank": { kind: "rule", severity: "error", area: "stages" },
  "from-unknown-variable": { kind: "rule", severity: "error", area: "stages" },
  "stage-forward-reference": { kind: "rule", severity: "error", area: "stages" },
  "stage-circle": { kind: "rule", severity: "error", area: "stages" },
  "stage-name-invalid": { kind: "rule", severity: "error", area: "stages" },
  "stage-name-duplicate": { kind: "rule", severity: "warning", area: "stages" },
  "stage-name-reserved": { kind: "rule", severity: "warning", area: "stages" },
  "target-not-found": { kind: "rule", severity: "error", area: "stages" },
  "image-name-invalid": { kind: "rule", severity: "error", area: "stages" },
  "layers-near-limit": { kind: "rule", severity: "warning", area: "stages" },
  // Rules: OUTPUT
  "output-before-from": { kind: "rule", severity: "error", area: "output" },
  "output-duplicate": { kind: "rule", severity: "error", area: "output" },
  "output-onbuild": { kind: "rule", severity: "error", area: "output" },
  "output-heredoc": { kind: "rule", severity: "error", area: "output" },
  "output-flag-unknown": { kind: "rule", severity: "error", area: "output" },
  "output-flag-duplicate": { kind: "rule", severity: "error", area: "output" },
  "output-flag-value": { kind: "rule", severity: "error", area: "output" },
  "output-path-missing": { kind: "rule", severity: "error", area: "output" },
  "output-path-count": { kind: "rule", severity: "error", area: "output" },
  "output-path-relative": { kind: "rule", severity: "error", area: "output" },
  "output-path-root": { kind: "rule", severity: "error", area: "output" },
  "output-path-characters": { kind: "rule", severity: "error", area: "output" },
  "output-path-in-base": { kind: "rule", severity: "warning", area: "output" },
  "output-variable-of-base": { kind: "rule", severity: "warning", area: "output" },
  "output-config-lost": { kind: "rule", severity: "warning", area: "output" },
  "output-copy-into-path": { kind: "rule", severity: "error", area: "output" },
  "output-no-layers": { kind: "rule", severity: "error", area: "output" },
  "output-unused": { kind: "rule", severity: "warning", area: "output" },
  // Rules: what engines read differently
  "engine-escape-directive": { kind: "rule", severity: "warning", area: "engines" },
  "engine-escape-doubled": { kind: "rule", severity: "warning", area: "engines" },
  "engine-version": { kind: "rule", severity: "warning", area: "engines" },
} as const satisfies Readonly<Record<string, CodeEntry>>;

export type Severity = "error" | "warning";
type CodeKind = "error" | "warning" | "rule" | "finding";

interface CodeEntry {
  readonly kind: CodeKind;
  readonly severity: Severity;
  /** The page, without directory and `.md`. */
  readonly area: string;
}

export type Code = keyof typeof codes;

type CodeOf<Kind extends CodeKind> = {
  [Name in Code]: (typeof codes)[Name]["kind"] extends Kind ? Name : never;
}[Code];

/** What an `XbuildError` may carry. */
export type ErrorCode = CodeOf<"error">;
/** What a build warns of; it may tell an error's code as a warning, too. */
export type WarningCode = CodeOf<"warning">;
/** What a Containerfile is found fault with. */
export type RuleCode = CodeOf<"rule">;
/** What `xbuild cache verify` finds in a store. */
export type FindingCode = CodeOf<"finding">;

/** The page of a code and the anchor on it, relative to the package: `docs/errors/store.md#store-full`. */
export function findPage(code: Code): string {
  const { kind, area } = codes[code];
  return `docs/${kind === "rule" ? "rules" : "errors"}/${area}.md#${code}`;
}
