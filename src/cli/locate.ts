import { readFile, stat } from "node:fs/promises";
import { dirname, isAbsolute, join, resolve } from "node:path";
import { exitStatuses, XbuildError } from "../errors.ts";

/** Where the Containerfile and the context of a command line are. */
export interface Sources {
  /** As the user named it (`-` is standard input), or where it was found. */
  readonly file: string;
  readonly bytes: Uint8Array;
  /** An absolute path. */
  readonly context: string;
}

const defaultNames = ["Containerfile.x", "Containerfile", "Dockerfile"] as const;

/** Contexts that only the engine can read: URLs, git repositories, a tar or a Containerfile on stdin. */
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
  named: string | undefined,
  operand: string | undefined,
  cwd: string,
): Promise<Sources> {
  const context = resolve(cwd, operand ?? ".");
  const kind = await kindOf(context);
  if (kind === "file" && named === undefined) {
    return { file: operand ?? context, bytes: await readFile(context), context: dirname(context) };
  }
  if (kind !== "directory") throw contextNotFound(operand ?? ".", kind === "file");
  if (named === "-") return { file: "-", bytes: await readStandardInput(), context };
  const file =
    named === undefined
      ? await findDefault(context, operand)
      : await findNamed(named, context, cwd);
  return { file: file.shown, bytes: await readFile(file.path), context };
}

type Kind = "file" | "directory" | undefined;

async function kindOf(path: string): Promise<Kind> {
  try {
    const stats = await stat(path);
    return stats.isDirectory() ? "directory" : "file";
  } catch {
    return undefined;
  }
}

interface Found {
  readonly shown: string;
  readonly path: string;
}

async function findDefault(context: string, operand: string | undefined): Promise<Found> {
  for (const name of defaultNames) {
    const path = join(context, name);
    if ((await kindOf(path)) === "file") return { shown: join(operand ?? "", name), path };
  }
  throw new XbuildError("file-not-found", `no ${defaultNames.join(", ")} in ${operand ?? "."}`, {
    hint: "name the file with -f",
    exitStatus: exitStatuses.usage,
  });
}

async function findNamed(named: string, context: string, cwd: string): Promise<Found> {
  const candidates = [resolve(cwd, named), ...(isAbsolute(named) ? [] : [join(context, named)])];
  for (const path of candidates)
    if ((await kindOf(path)) !== undefined) return { shown: named, path };
  throw new XbuildError("file-not-found", `the file ${named} does not exist`, {
    hint: `it was looked for as ${[...new Set(candidates)].join(" and ")}`,
    exitStatus: exitStatuses.usage,
  });
}

function contextNotFound(context: string, isFile: boolean): XbuildError {
  const why = isFile ? "is a file" : "does not exist";
  return new XbuildError("context-not-found", `the context ${context} ${why}`, {
    hint: "name a directory",
    exitStatus: exitStatuses.usage,
  });
}

async function readStandardInput(): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

/** The ignore file of a context: named, or beside the Containerfile, or in the context, in buildah's order. */
export async function findIgnoreFile(
  named: string | undefined,
  file: string,
  context: string,
  cwd: string,
): Promise<string | undefined> {
  if (named !== undefined) {
    const path = resolve(cwd, named);
    if ((await kindOf(path)) === "file") return path;
    throw new XbuildError("file-not-found", `the ignore file ${named} does not exist`, {
      exitStatus: exitStatuses.usage,
    });
  }
  const beside = file === "-" ? [] : [`${file}.dockerignore`, `${file}.containerignore`];
  const candidates = [
    ...beside.map((one) => resolve(cwd, one)),
    join(context, ".containerignore"),
    join(context, ".dockerignore"),
  ];
  for (const path of candidates) if ((await kindOf(path)) === "file") return path;
  return undefined;
}
