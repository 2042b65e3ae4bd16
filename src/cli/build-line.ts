import { arch, platform as hostSystem } from "node:os";
import { resolve } from "node:path";
import type { CommandLine } from "./arguments.ts";
import type { BuildFlag } from "./build-flags.ts";
import type { CliIo } from "./io.ts";
import { readArgumentFile, splitPair } from "./values.ts";

/** A command line of `build`. */
export type BuildCommandLine = CommandLine<BuildFlag>;

/** All values of a flag, in the order given. */
export function listValues(line: BuildCommandLine, name: string): readonly string[] {
  return line.flags.filter((one) => one.spec.name === name).map((one) => one.value);
}

/** The last value of a flag that counts once. */
export function lastValue(line: BuildCommandLine, name: string): string | undefined {
  return listValues(line, name).at(-1);
}

export function isSet(line: BuildCommandLine, name: string): boolean {
  return lastValue(line, name) === "true";
}

/** --build-arg-file's and --build-arg's values; one without a value takes the environment's, if it has one. */
export async function readBuildArgs(
  line: BuildCommandLine,
  io: CliIo,
): Promise<ReadonlyMap<string, string>> {
  const files = await Promise.all(
    listValues(line, "build-arg-file").map((path) => readArgumentFile(resolve(io.cwd, path))),
  );
  const words = [...files.flat(), ...listValues(line, "build-arg")];
  return new Map(
    words.flatMap((word): readonly (readonly [string, string])[] => {
      const [name, value] = splitPair(word);
      const given = value ?? io.env[name];
      return given === undefined ? [] : [[name, given]];
    }),
  );
}

/** `os/arch[/variant]` of this machine, in Go's words. */
export function hostPlatform(): string {
  const names: Readonly<Record<string, string>> = { x64: "amd64", ia32: "386", ppc64: "ppc64le" };
  return `${hostSystem()}/${names[arch()] ?? arch()}`;
}
