import {
  builderFlags,
  type EngineName,
  findEngine,
  isEngineName,
  type Engine,
} from "../../engine/engine.ts";
import type { CliIo } from "../io.ts";
import { listValues, lastValue, usageError } from "../line/arguments.ts";
import { readEngineName } from "../line/engine-name.ts";
import type { BuildCommandLine } from "../line/build-line.ts";

/** The engine that a command line asks for, with its options. @throws XbuildError `usage`, `engine-not-found` */
export function selectEngine(line: BuildCommandLine, io: CliIo): Engine {
  const name = nameEngine(line, io);
  const options = listValues(line, "engine-arg");
  const engine = findEngine(name, options, io.env["PATH"]);
  const own = [...engine.ownFlags].flatMap((flag) => {
    // Builders may be named by several flags.
    const value = flag === "builder" ? join(listValues(line, flag)) : lastValue(line, flag);
    return value === undefined ? [] : [`--${flag}=${value}`];
  });
  if (own.length === 0 || !isEngineName(engine.name)) return engine;
  return findEngine(engine.name, [...options, ...own], io.env["PATH"]);
}

function join(values: readonly string[]): string | undefined {
  return values.length === 0 ? undefined : values.join(",");
}

/** A builder that is named says which engine, too. */
function nameEngine(line: BuildCommandLine, io: CliIo): EngineName | undefined {
  const flag = builderFlags.find((one) => listValues(line, one).length > 0);
  const name = readEngineName(lastValue(line, "engine"), io.env);
  if (name === "buildkit") return name;
  // The variable says no more than the flag, and less than another engine's name.
  if (flag === undefined) return name ?? (io.env["XBUILD_BUILDER"] ? "buildkit" : undefined);
  if (name === undefined || lastValue(line, "engine") === undefined) return "buildkit";
  throw usageError(
    `--${flag} names no builder of ${name}`,
    "give --engine buildkit, or leave it out",
  );
}
