import { resolve } from "node:path";
import { exitStatuses, XbuildError } from "../../errors.ts";
import { systemCode } from "../../system/errno.ts";
import { readInput, readStandardInput } from "../../system/read-input.ts";
import { usageError } from "../line/arguments.ts";
import type { CliIo } from "../io.ts";
import { kindOf } from "../request/locate.ts";
import { type BakeDocument, readBakeDocument } from "./document.ts";

/** A bake file's bytes, as the user named it. */
export interface BakeFile {
  readonly name: string;
  readonly bytes: Buffer;
  readonly isHcl: boolean;
}

/** In the order of buildx; Compose files are not read. docs.docker.com/build/bake/reference, "File format". */
const defaultNames = [
  "docker-bake.json",
  "docker-bake.hcl",
  "docker-bake.override.json",
  "docker-bake.override.hcl",
] as const;

/**
 * Reads the bake files that -f names, else BUILDX_BAKE_FILE, else those in the working directory; `-` is standard
 * input. Errors: `file-not-found`, `usage`.
 */
export async function readBakeFiles(
  given: readonly string[],
  io: CliIo,
): Promise<readonly BakeFile[]> {
  const named = given.length > 0 ? given : listFromEnvironment(io.env);
  const names = named.length > 0 ? named : await listDefaults(io.cwd);
  const files: BakeFile[] = [];
  for (const name of names) files.push(await readFile(name, io));
  return files;
}

function listFromEnvironment(env: CliIo["env"]): readonly string[] {
  const separator = env["BUILDX_BAKE_PATH_SEPARATOR"] || ":";
  return (env["BUILDX_BAKE_FILE"] ?? "").split(separator).filter((name) => name !== "");
}

async function listDefaults(cwd: string): Promise<readonly string[]> {
  const found: string[] = [];
  for (const name of defaultNames)
    if ((await kindOf(resolve(cwd, name))) !== undefined) found.push(name);
  if (found.length > 0) return found;
  throw new XbuildError(
    "file-not-found",
    `there is no ${defaultNames.slice(0, 2).join(", no ")} here`,
    {
      hint: "name the bake file with -f",
      exitStatus: exitStatuses.usage,
    },
  );
}

async function readFile(name: string, { cwd, signal }: CliIo): Promise<BakeFile> {
  if (/^https?:\/\/|^git@|\.git(?:#|$)/.test(name))
    throw usageError(
      `-f ${name}: a bake file is read on this machine alone`,
      "download it, and name that",
    );
  if (/\.ya?ml$/i.test(name))
    throw usageError(
      `-f ${name}: Compose files are not read`,
      "have docker buildx bake --print make JSON of it, and name that",
    );
  if (name === "-") return describeFile("standard input", await readStandardInput(signal));
  try {
    return describeFile(name, await readInput(resolve(cwd, name), signal));
  } catch (cause) {
    signal.throwIfAborted();
    const code = systemCode(cause);
    if (code === undefined) throw cause;
    throw new XbuildError("file-not-found", `the bake file ${name} cannot be read (${code})`, {
      hint: "name a file that this user may read",
      exitStatus: exitStatuses.usage,
      cause,
    });
  }
}

/** What its name does not say, its first character does: JSON is an object, HCL never begins with a brace. */
function describeFile(name: string, bytes: Buffer): BakeFile {
  if (name.endsWith(".json")) return { name, bytes, isHcl: false };
  if (name.endsWith(".hcl")) return { name, bytes, isHcl: true };
  const first = bytes.find((byte) => !blanks.has(byte));
  return { name, bytes, isHcl: first !== openBrace };
}

const openBrace = 0x7b;
/** White space, and a byte order mark. */
const blanks: ReadonlySet<number> = new Set([0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf]);

export function parseBakeFiles(files: readonly BakeFile[]): readonly BakeDocument[] {
  return files.map(({ name, bytes }) => readBakeDocument(bytes, name));
}
