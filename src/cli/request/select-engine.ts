import { findEngine, isEngineName, type Engine } from "../../engine/engine.ts";
import type { CliIo } from "../io.ts";
import { listValues, lastValue } from "../line/arguments.ts";
import { readEngineName } from "../line/engine-name.ts";
import type { BuildCommandLine } from "../line/build-line.ts";

/** The engine that a command line asks for, with its options. @throws XbuildError `usage`, `engine-not-found` */
export function selectEngine(line: BuildCommandLine, io: CliIo): Engine {
  const name = readEngineName(lastValue(line, "engine"), io.env);
  const options = listValues(line, "engine-arg");
  const engine = findEngine(name, options, io.env["PATH"]);
  const own = [...engine.ownFlags].flatMap((flag) => {
    const value = lastValue(line, flag);
    return value === undefined ? [] : [`--${flag}=${value}`];
  });
  if (own.length === 0 || !isEngineName(engine.name)) return engine;
  return findEngine(engine.name, [...options, ...own], io.env["PATH"]);
}
