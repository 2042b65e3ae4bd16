import { readdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { execa } from "execa";

/**
 * Installs what `npm pack` gives into a directory, for users who cannot read the checkout.
 * @returns the directory of its command, to be put into PATH
 */
export async function installPackage(directory: string): Promise<string> {
  const flags = ["--ignore-scripts", "--pack-destination", directory];
  await execa("npm", ["pack", ...flags], { cwd: resolve(".") });
  const archive = (await readdir(directory)).find((name) => name.endsWith(".tgz")) ?? "";
  const quiet = ["--offline", "--no-audit", "--no-fund"];
  await execa("npm", ["install", ...quiet, "--prefix", directory, join(directory, archive)]);
  return join(directory, "node_modules", ".bin");
}
