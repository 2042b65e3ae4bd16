import { arch, platform as hostSystem } from "node:os";
import { resolve } from "node:path";
import type { Shared } from "../../pipeline/pipeline.ts";
import { suggestName } from "../../suggest.ts";
import { XbuildError } from "../../errors.ts";
import { type CommandLine, listValues, parseCommandLine, usageError } from "./arguments.ts";
import { type BuildFlag, buildFlags } from "./build-flags.ts";
import type { CliIo } from "../io.ts";
import type { Sources } from "../request/locate.ts";
import { readArgumentFile, splitPair } from "./values.ts";

/** A command line of `build`. */
export type BuildCommandLine = CommandLine<BuildFlag>;

/** What `xbuild` reads of a command line: what it says, or what is wrong with it by our own flags. */
export type BuildLineResult =
  | { readonly line: BuildCommandLine; readonly error?: undefined }
  | { readonly line?: undefined; readonly error: XbuildError };

/** A build's command line, read once, and its Containerfile where that has been read already. */
export interface BuildStart {
  /** Where it is one of several builds: what they have in common, and how its lines are marked. */
  readonly beside?: {
    readonly shared: Shared;
    readonly label: string | undefined;
    /** Takes what is said in the end: it is shown in the order of the builds. */
    readonly report?: CliIo["stdout"];
    /** Those of the other builds that have the same file; undefined is its last stage. */
    readonly otherTargets: readonly (string | undefined)[];
    /** Findings in files that have been told; see `warnOnce`. */
    readonly told: Set<string>;
  };
  readonly words: readonly string[];
  /** The words behind `xbuild` that begin the command anew, where another command has made the build's. */
  readonly again?: readonly string[];
  readonly read: BuildLineResult;
  readonly sources?: Sources;
}

export function readBuildLine(words: readonly string[]): BuildLineResult {
  try {
    return { line: parseCommandLine(words, buildFlags) };
  } catch (error) {
    if (!(error instanceof XbuildError)) throw error;
    return { error };
  }
}

/** What a command line says of build arguments. */
export interface GivenArguments {
  readonly buildArgs: ReadonlyMap<string, string>;
  /** Those whose values stand on no command line, or must not: see `BuildRequest`. */
  readonly hiddenArgs: ReadonlySet<string>;
  readonly redacted: ReadonlySet<string>;
}

/**
 * --build-arg-file's and --build-arg's values; one without a value takes the environment's, if it has one.
 * Errors: `usage` for a --redact that names none of them.
 */
export async function readBuildArgs(line: BuildCommandLine, io: CliIo): Promise<GivenArguments> {
  const files = await Promise.all(
    listValues(line, "build-arg-file").map((path) =>
      readArgumentFile(resolve(io.cwd, path), io.signal),
    ),
  );
  const fromFiles = files.flat().map((word) => splitPair(word));
  const fromLine = listValues(line, "build-arg").map((word) => splitPair(word));
  const all = [...fromFiles, ...fromLine];
  const buildArgs = new Map<string, string>();
  const hiddenArgs = new Set<string>();
  for (const [name, value] of all) {
    const given = value ?? io.env[name];
    if (given !== undefined) buildArgs.set(name, given);
    hiddenArgs.add(name);
  }
  for (const [name, value] of fromLine) if (value !== undefined) hiddenArgs.delete(name);
  const redacted = readRedacted(
    line,
    all.map(([name]) => name),
  );
  return { buildArgs, hiddenArgs: new Set([...hiddenArgs, ...redacted]), redacted };
}

function readRedacted(line: BuildCommandLine, names: readonly string[]): ReadonlySet<string> {
  const redacted = listValues(line, "redact");
  const unknown = redacted.find((name) => !names.includes(name));
  if (unknown === undefined) return new Set(redacted);
  const near = suggestName(unknown, names);
  throw usageError(
    `--redact ${unknown}: no build argument of that name is given`,
    near === undefined ? "give it with --build-arg too" : `did you mean ${near}?`,
  );
}

/** `os/arch[/variant]` of this machine, in Go's words. Containers of a Mac are Linux's. */
export function hostPlatform(): string {
  const names: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };
  const system = hostSystem() === "darwin" ? "linux" : hostSystem();
  return `${system}/${names[arch()] ?? arch()}`;
}
