import { readdir, readFile, stat } from "node:fs/promises";
import { homedir } from "node:os";
import type { Environment } from "./access.ts";

/** A text file, or undefined where it cannot be read: what is broken in configuration, skopeo names. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch {
    return undefined;
  }
}

/** Whether there is anything at a path, links followed. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** The names in a directory, sorted; undefined where there is none. */
export async function listNames(directory: string): Promise<readonly string[] | undefined> {
  try {
    return (await readdir(directory)).sort();
  } catch {
    return undefined;
  }
}

/** $HOME, else the user's directory as the system knows it. */
export function homeDirectory(env: Environment): string {
  return env["HOME"] || homedir();
}
