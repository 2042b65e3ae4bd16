import { execFile } from "node:child_process";
import { access, constants, readdir } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const runFile = promisify(execFile);

/** Where PATH has the program; undefined where it has not. */
export async function findProgram(name: string): Promise<string | undefined> {
  for (const directory of listPath()) {
    const file = join(directory, name);
    if (await isProgram(file)) return file;
  }
  return undefined;
}

/** All programs on PATH whose names are like that. */
export async function findPrograms(pattern: RegExp): Promise<readonly string[]> {
  const found: string[] = [];
  for (const directory of listPath()) {
    const names = await readdir(directory).catch(() => []);
    for (const name of names.filter((one) => pattern.test(one)).sort())
      if (await isProgram(join(directory, name))) found.push(join(directory, name));
  }
  return found;
}

/** The first number with dots in what the program says of itself; empty where it says none. */
export async function readVersion(program: string): Promise<string> {
  const { stdout, stderr } = await runFile(program, ["--version"]);
  return /\d+(?:\.\d+)+/.exec(stdout + stderr)?.[0] ?? "";
}

function listPath(): readonly string[] {
  return [...new Set((process.env["PATH"] ?? "").split(delimiter).filter((one) => one !== ""))];
}

function isProgram(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
