import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runProgram } from "./run.ts";

/** A package where npm would install it. */
export interface Installed {
  readonly name: string;
  readonly version: string;
  /** The packages in whose own `node_modules` it stands, from the outermost; empty for the application's. */
  readonly within: readonly string[];
  /** Names of the packages that it depends on. */
  readonly needs: readonly string[];
}

interface LockedPackage {
  readonly version?: string;
  readonly name?: string;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

/** What npm would have installed for an application on a day, on Linux with glibc and x86-64. */
export async function resolveApplication(
  dependencies: Readonly<Record<string, string>>,
  day: string,
): Promise<readonly Installed[]> {
  const overrides: Record<string, string> = {};
  for (;;) {
    try {
      return await resolveWith({ dependencies, overrides }, day);
    } catch (error) {
      const [name, older] = readMissing(String(error)) ?? [];
      if (name === undefined || older === undefined || name in overrides) throw error;
      overrides[name] = older;
    }
  }
}

/**
 * What npm misses: the registry dates some versions later than what was published with them and needs them. The
 * newest older one, as a range, stands in for it.
 */
export function readMissing(message: string): readonly [name: string, range: string] | undefined {
  const missing = /No matching version found for (@?[^@\s]+)@(\S+) with a date before/.exec(
    message,
  );
  const version = /\d+\.\d+\.\d+\S*/.exec(missing?.[2] ?? "")?.[0];
  const name = missing?.[1];
  return name === undefined || version === undefined ? undefined : [name, `<=${version}`];
}

async function resolveWith(wanted: object, day: string): Promise<readonly Installed[]> {
  const cwd = await mkdtemp(join(tmpdir(), "xbuild-series-"));
  try {
    const file = { name: "app", version: "1.0.0", private: true, ...wanted };
    await writeFile(join(cwd, "package.json"), JSON.stringify(file));
    const options = ["--package-lock-only", "--ignore-scripts", "--prefer-offline", "--no-audit"];
    await runProgram(["npm", "install", ...options, "--before", day], { cwd });
    return readLock(await readFile(join(cwd, "package-lock.json"), "utf8"));
  } finally {
    await rm(cwd, { recursive: true, force: true });
  }
}

/** Reads a `package-lock.json`; what is for other platforms is left out, and what stands within it. */
export function readLock(text: string): readonly Installed[] {
  const { packages }: { packages: Readonly<Record<string, LockedPackage>> } = JSON.parse(text);
  const foreign = Object.entries(packages).flatMap(([path, one]) =>
    isForUs(one) ? [] : `${path}/`,
  );
  return Object.entries(packages).flatMap(([path, locked]) => {
    if (foreign.some((place) => `${path}/`.startsWith(place))) return [];
    const names = path.split("node_modules/").map((part) => part.replace(/\/$/, ""));
    const name = locked.name ?? names.at(-1);
    if (path === "" || name === undefined || locked.version === undefined) return [];
    const needs = Object.keys({ ...locked.dependencies, ...locked.optionalDependencies });
    return [{ name, version: locked.version, within: names.slice(1, -1), needs }];
  });
}

function isForUs({ os, cpu, libc }: LockedPackage): boolean {
  return suits(os, "linux") && suits(cpu, "x64") && suits(libc, "glibc");
}

/** Whether a list names ours, or does not exclude it where it only excludes. */
function suits(listed: readonly string[] | undefined, ours: string): boolean {
  if (listed === undefined || listed.includes(ours)) return true;
  return listed.every((one) => one.startsWith("!") && one !== `!${ours}`);
}
