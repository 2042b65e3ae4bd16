import { access, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cacheDirectory } from "./cache.ts";
import { startLayer } from "./deb.ts";
import { runProgram } from "./run.ts";

/** A package that an application has. */
export interface Locked {
  readonly name: string;
  readonly version: string;
  /** Names of the packages that it depends on. */
  readonly needs: readonly string[];
}

/** The platform for which wheels are chosen. */
const platform = ["--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28"];

/** uv, in an environment of its own: the newest that there was when it was first needed. */
export interface Uv {
  readonly run: (...args: readonly string[]) => Promise<string>;
}

/** Installs uv where it is not there yet. */
export async function openUv(): Promise<Uv> {
  const directory = resolve(cacheDirectory, "uv");
  const program = join(directory, "bin/uv");
  try {
    await access(program);
  } catch {
    await runProgram(["python3", "-m", "venv", directory]);
    await runProgram([join(directory, "bin/pip"), "install", "--quiet", "uv"]);
  }
  const cache = ["--cache-dir", resolve(cacheDirectory, "uv-cache")];
  const python = ["--python", join(directory, "bin/python")];
  return {
    run: (...args) => runProgram([program, "pip", ...args, ...cache, ...python, "--quiet"]),
  };
}

/** What uv would have installed for these requirements on a day. */
export async function resolveRequirements(
  uv: Uv,
  requirements: readonly string[],
  day: string,
): Promise<readonly Locked[]> {
  return await inDirectory(async (directory) => {
    const file = join(directory, "requirements.in");
    await writeFile(file, `${requirements.join("\n")}\n`);
    const options = ["--no-header", "--annotation-style", "line", "--exclude-newer", day];
    return readLocked(
      await uv.run("compile", ...options, ...platform, "--only-binary", ":all:", file),
    );
  });
}

/** Reads `name==1.2  # via a, b, -r FILE` lines. */
export function readLocked(text: string): readonly Locked[] {
  const lines = [...text.matchAll(/^(\S+?)==(\S+)(?:[ \t]+# via (.*))?$/gm)];
  const users = lines.map(([, name = "", , via = ""]) => ({ name, by: via.split(", ") }));
  return lines.map(([, name = "", version = ""]) => {
    const needs = users.filter(({ by }) => by.includes(name)).map((one) => one.name);
    return { name, version, needs: needs.toSorted() };
  });
}

/** The sizes of a version (`name==1.2`), as it is once it is installed. */
export async function measureInstalled(
  uv: Uv,
  version: string,
): Promise<{ readonly size: number; readonly packed: number }> {
  return await inDirectory(async (directory) => {
    const place = ["--target", directory, ...platform, "--only-binary", ":all:"];
    await uv.run("install", "--no-deps", ...place, version);
    const layer = startLayer();
    const found = await readdir(directory, { recursive: true, withFileTypes: true });
    const entries = found.map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }));
    for (const { entry, path } of entries.toSorted((one, two) => (one.path < two.path ? -1 : 1))) {
      const name = `usr/lib/python3/site-packages${path.slice(directory.length)}`;
      // uv's own.
      if (entry.name === ".lock" || entry.isDirectory()) continue;
      if (entry.isFile()) await layer.add({ name }, await readFile(path));
      else await layer.add({ name, type: "symlink", linkname: await readlink(path) }, none);
    }
    return await layer.end();
  });
}

const none = Buffer.alloc(0);

async function inDirectory<T>(use: (directory: string) => Promise<T>): Promise<T> {
  const directory = await mkdtemp(join(tmpdir(), "xbuild-series-"));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
