import { mkdir, readdir } from "node:fs/promises";
import { resolve } from "node:path";
import { systemCode } from "../../system/errno.ts";
import type { CliIo } from "../io.ts";
import { type GivenFlags, lastValue, usageError } from "../line/arguments.ts";

/** --keep-output's directory must be new or empty, before anything is built. Errors: `usage` */
export async function assertKeepOutput(line: GivenFlags, io: CliIo): Promise<void> {
  const directory = lastValue(line, "keep-output");
  if (directory === undefined) return;
  await assertEmpty(resolve(io.cwd, directory), "--keep-output");
}

/** Makes a directory, where it is not there. Errors: `usage` where something is in it, or it cannot be made. */
export async function makeEmptyDirectory(path: string, what: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true });
  } catch (error) {
    throw unusable(path, what, error);
  }
  await assertEmpty(path, what);
}

async function assertEmpty(path: string, what: string): Promise<void> {
  const names = await readdir(path).catch((error: unknown) => {
    if (systemCode(error) === "ENOENT") return [];
    throw unusable(path, what, error);
  });
  if (names.length === 0) return;
  const hint = "name a directory that does not exist or is empty";
  throw usageError(`${what}: ${path} is not empty`, hint);
}

function unusable(path: string, what: string, error: unknown): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  return usageError(`${what}: ${path} cannot be used (${code})`, "name a directory of yours");
}
