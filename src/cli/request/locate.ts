import { stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { systemCode } from "../../system/errno.ts";
import { readInput, readStandardInput } from "../../system/read-input.ts";
import type { CliIo } from "../io.ts";

/** Where the Containerfile and the context of a command line are. */
export interface Sources {
  /** As the user named it (`-` is standard input), or where it was found. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** What such a text is known by: the target of a bake file that has it. */
  readonly origin?: string;
  /** An absolute path. */
  readonly context: string;
  /**
   * What the context is called between builds: its path, or where it comes from, without user and password. Nothing
   * of a context that was fetched is to be known by its path.
   */
  readonly identity: string;
  /** Where the file is, where it is one in the context or beside it; an absolute path. */
  readonly path?: string;
  /** The context, where it was fetched into a directory that goes with this command. */
  readonly fetched?: FetchedContext;
  /** Whether the context is a directory of this command's own: its path says nothing either. */
  readonly isPrivate?: boolean;
  /** Whether the file can be read but once, and has been. Not said of standard input. */
  readonly isPipe?: boolean;
}

/** A context that is elsewhere, as far as an engine needs it that is to read it by itself. */
export interface FetchedContext {
  readonly kind: "git" | "http" | "input";
  /** What was sent, unless it is a repository. */
  readonly archive: string | undefined;
}

/** Where a command line says that they are. */
export interface NamedSources {
  /** The value of -f. */
  readonly file?: string | undefined;
  /** The operand; the working directory unless given. */
  readonly context?: string | undefined;
}

export interface LocateOptions {
  /** Nothing that can be read but once, a pipe, is touched: it counts as not there. */
  readonly isGuess?: boolean;
  /** The context, where it has been fetched. */
  readonly fetched?: Pick<Sources, "context" | "identity"> & { readonly as: FetchedContext };
}

/** Where relative paths begin; its signal ends the waiting for the writer of a pipe. */
export type Place = Pick<CliIo, "cwd" | "signal">;

const defaultNames = ["Containerfile.x", "Containerfile", "Dockerfile"] as const;

/** Contexts that are no directory of this machine: URLs, git repositories, a tar or a Containerfile on stdin. */
export function isRemoteContext(context: string): boolean {
  return context === "-" || /^(?:https?|git|ssh|file):\/\/|^git@|^github\.com\//.test(context);
}

/**
 * Finds the Containerfile: named by -f (relative to the working directory, else to the context, as
 * the engines have it), else `Containerfile.x`, `Containerfile`, `Dockerfile` in the context. A
 * context that is a file is the Containerfile, and its directory the context.
 * @throws XbuildError `file-not-found`, `context-not-found`
 */
export async function locateSources(
  { file: named, context: operand }: NamedSources,
  { cwd, signal }: Place,
  { isGuess = false, fetched }: LocateOptions = {},
): Promise<Sources> {
  if (fetched !== undefined) {
    const { locateFetched } = await import("./locate-fetched.ts");
    return locateFetched(named, fetched, { cwd, signal });
  }
  const context = resolve(cwd, operand ?? ".");
  const kind = await kindOf(context);
  if (kind !== undefined && kind !== "directory" && named === undefined) {
    const file = { shown: operand ?? context, path: context };
    if (kind === "file") await assertText(file);
    const own = dirname(context);
    return readSource(file, { context: own, identity: own, isGuess }, signal);
  }
  if (kind !== "directory") throw contextNotFound(operand ?? ".", kind);
  if (named === "-") {
    return { file: "-", bytes: await readStandardInput(signal), context, identity: context };
  }
  const file =
    named === undefined
      ? await findDefault(context, operand)
      : await findNamed(named, context, cwd);
  return readSource(file, { context, identity: context, isGuess }, signal);
}

/** An archive is a context on standard input alone; as a Containerfile it makes no sense. */
async function assertText({ shown, path }: LocatedFile): Promise<void> {
  if (!/\.(?:tar|t[gbx]z2?|gz|xz|bz2|zst)$/.test(path)) return;
  const { detectPacking } = await import("../../sources/sources.ts");
  if (detectPacking(path) === undefined) return;
  throw new XbuildError("context-not-found", `the context ${shown} is an archive`, {
    hint: `give it on standard input: xbuild build - < ${shown}`,
    exitStatus: exitStatuses.usage,
  });
}

/** The absolute path of a context that must be a directory. @throws XbuildError `context-not-found` */
export async function locateContext(operand: string, cwd: string): Promise<string> {
  const context = resolve(cwd, operand);
  const kind = await kindOf(context);
  if (kind !== "directory") throw contextNotFound(operand, kind);
  return context;
}

/** Reads the file. Errors: `file-not-found`, the signal's reason. */
export async function readSource(
  { shown, path }: LocatedFile,
  {
    isGuess,
    ...common
  }: Omit<Sources, "file" | "bytes" | "isPipe" | "path"> & Pick<LocateOptions, "isGuess">,
  signal: AbortSignal,
): Promise<Sources> {
  const isPipe = (await kindOf(path)) === "other";
  if (isGuess === true && isPipe) throw fileNotFound(shown);
  try {
    const bytes = await readInput(path, signal);
    return { file: shown, bytes, path, ...common, ...(isPipe ? { isPipe } : {}) };
  } catch (cause) {
    signal.throwIfAborted();
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    throw new XbuildError("file-not-found", `the file ${shown} cannot be read (${code})`, {
      hint: hints[code] ?? "check that it is a file that this user may read",
      exitStatus: exitStatuses.usage,
      cause,
    });
  }
}

const hints: Readonly<Record<string, string>> = {
  EISDIR: "name the Containerfile in it: it is a directory",
  EACCES: "make it readable for this user",
  EFBIG: "name a Containerfile: this file has more than 64 MiB",
};

function fileNotFound(shown: string): XbuildError {
  return new XbuildError("file-not-found", `the file ${shown} does not exist`);
}

type Kind = "file" | "directory" | "other" | undefined;

/** What stands at a path; undefined: nothing that can be seen. */
export async function kindOf(path: string): Promise<Kind> {
  try {
    const stats = await stat(path);
    if (stats.isDirectory()) return "directory";
    return stats.isFile() ? "file" : "other";
  } catch {
    return undefined;
  }
}

interface LocatedFile {
  readonly shown: string;
  readonly path: string;
}

/** The file of a context where none is named. Errors: `file-not-found` */
export async function findDefault(
  context: string,
  operand: string | undefined,
  where = operand ?? ".",
): Promise<LocatedFile> {
  for (const name of defaultNames) {
    const path = join(context, name);
    if ((await kindOf(path)) === "file") return { shown: join(operand ?? "", name), path };
  }
  throw new XbuildError("file-not-found", `no ${defaultNames.join(", ")} in ${where}`, {
    hint: "name the file with -f",
    exitStatus: exitStatuses.usage,
  });
}

async function findNamed(named: string, context: string, cwd: string): Promise<LocatedFile> {
  const candidates = [resolve(cwd, named), ...(isAbsolute(named) ? [] : [join(context, named)])];
  for (const path of candidates)
    if ((await kindOf(path)) !== undefined) return { shown: named, path };
  throw new XbuildError("file-not-found", `the file ${named} does not exist`, {
    hint: `check the name; it was looked for as ${[...new Set(candidates)].join(" and ")}`,
    exitStatus: exitStatuses.usage,
  });
}

function contextNotFound(context: string, kind: Kind): XbuildError {
  const why = kind === undefined ? "does not exist" : "is a file";
  return new XbuildError("context-not-found", `the context ${context} ${why}`, {
    hint: "name a directory",
    exitStatus: exitStatuses.usage,
  });
}
