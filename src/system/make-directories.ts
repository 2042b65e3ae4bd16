import { statSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
import { systemCode } from "./errno.ts";

/**
 * Makes a directory and those that it lies in; what is there stays as it is. Node's own way goes on for ever where a
 * file system takes none (/proc). Errors: those of mkdir(2).
 * @returns those that were made, the outermost first
 */
export async function makeDirectories(path: string, mode = 0o777): Promise<readonly string[]> {
  const missing = await makeOne(path, mode);
  if (missing !== "no parent") return missing;
  const outer = await makeDirectories(dirname(path), mode);
  const inner = await makeOne(path, mode);
  if (inner !== "no parent") return [...outer, ...inner];
  throw Object.assign(new Error(`${path} cannot be made`), { code: "ENOENT", path });
}

async function makeOne(path: string, mode: number): Promise<readonly string[] | "no parent"> {
  try {
    await mkdir(path, { mode });
    return [path];
  } catch (error) {
    const code = systemCode(error);
    if (code === "ENOENT" && dirname(path) !== path) return "no parent";
    if (code !== "EEXIST" || !isDirectory(path)) throw error;
    return [];
  }
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
