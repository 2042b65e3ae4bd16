import { buildFlags } from "./build-flags.ts";

/** The text of `xbuild --help`. */
export function renderHelp(): string {
  const rows = buildFlags.flatMap((flag) => {
    if (flag.help === undefined) return [];
    const short = flag.short === undefined ? "    " : `-${flag.short}, `;
    const value = flag.value === undefined ? "" : ` ${flag.value}`;
    return [`  ${`${short}--${flag.name}${value}`.padEnd(32)} ${flag.help}`];
  });
  return `xbuild: container images whose layers the build chooses

Usage:
  xbuild [build] [flags] [CONTEXT] [-- ENGINE-FLAGS]
  xbuild bake [-f FILE] [--print] [flags] [TARGET...]
  xbuild check [--format text|json|sarif|github] [flags] [CONTEXT]
  xbuild expand [flags] [CONTEXT]
  xbuild parse --json FILE
  xbuild split IMAGE -t NEW [flags]
  xbuild plan IMAGE [--history IMAGE] [--format table|json|plan]
  xbuild collect [--prepare] DIR [-t NAME] [flags]
  xbuild rebase IMAGE --onto BASE [--from BASE] [flags]
  xbuild images | tag NAME NEW | rmi NAME | cache ls|du|prune|verify|path
  xbuild --version

CONTEXT is a directory, a git repository (URL.git#REF:DIRECTORY), the URL of a tar archive, or - for one on stdin.
A context directory that is named like a command is ./NAME or "build NAME".
A file without OUTPUT is built by the engine as ever, with every flag that it knows.

Flags of build:
${rows.join("\n")}

Handed to the engine as they are: ${buildFlags
    .filter((flag) => ["step", "access", "cache"].includes(flag.role) && flag.help === undefined)
    .reduce((text, flag) => appendWord(text, `--${flag.name}`), "")}

Environment: XBUILD_STORE (the store's directory), XBUILD_ENGINE, XBUILD_REGISTRY_TIMEOUT (seconds),
SOURCE_DATE_EPOCH, NO_COLOR, BUILDAH_ISOLATION, and what skopeo and the engine read (REGISTRY_AUTH_FILE, ...).
Exit status: 0; the failing step's own; 1 refused or findings; 125 wrong usage; 130 interrupted.
`;
}

/** In lines of at most 90 characters and their indentation. */
function appendWord(text: string, word: string): string {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  return line === "" || line.length + word.length > 91 ? `${text}\n  ${word}` : `${text} ${word}`;
}
